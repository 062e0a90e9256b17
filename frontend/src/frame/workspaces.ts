import {
  Building2,
  CalendarDays,
  Flame,
  Footprints,
  History,
  Inbox,
  KeyRound,
  ListChecks,
  Map as MapIcon,
  MapPinCheck,
  Route,
  Settings,
  ShieldUser,
  Users,
} from 'lucide-vue-next'
import type { Component } from 'vue'
import type { Action } from '../shared/session/roles'

/**
 * A place to work in, beside the account and the way in. Its name is its path under the city; `map` is the city's own.
 * The rail leads to those that the person may use and that have a page (pages.ts).
 */
export interface Workspace {
  name:
    | 'map'
    | 'queue'
    | 'hotspots'
    | 'duty'
    | 'patrols'
    | 'team'
    | 'list'
    | 'rules'
    | 'calendar'
    | 'people'
    | 'units'
    | 'audit'
    | 'tokens'
    | 'settings'
  needs: Action
  icon: Component
}

export const workspaces: readonly Workspace[] = [
  { name: 'map', needs: 'city.view', icon: MapIcon },
  { name: 'queue', needs: 'case.triage', icon: Inbox },
  { name: 'hotspots', needs: 'report.view', icon: Flame },
  { name: 'duty', needs: 'case.note', icon: Footprints },
  { name: 'patrols', needs: 'patrol.view', icon: MapPinCheck },
  { name: 'team', needs: 'team.view', icon: ShieldUser },
  { name: 'list', needs: 'regime.view', icon: ListChecks },
  { name: 'rules', needs: 'regime.view', icon: Route },
  { name: 'calendar', needs: 'regime.view', icon: CalendarDays },
  { name: 'people', needs: 'person.view', icon: Users },
  { name: 'units', needs: 'unit.edit', icon: Building2 },
  { name: 'audit', needs: 'audit.view', icon: History },
  { name: 'tokens', needs: 'token.edit', icon: KeyRound },
  { name: 'settings', needs: 'setting.edit', icon: Settings },
]
