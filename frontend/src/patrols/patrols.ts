import type { View } from '../center/view'
import type { components } from '../shared/api/schema'
import { type City, type Role, roles } from '../shared/api/types'
import { type Cover, type CoverClass, levelFrom } from '../shared/map/style'
import { apiTime, dayStart } from '../shared/time/zone'

type Schemas = components['schemas']
export type PatrolPoint = Schemas['PatrolPoint']
export type PatrolVisit = Schemas['PatrolVisit']
export type PatrolGrid = Schemas['PatrolGrid']
export type PatrolArea = Schemas['PatrolArea']
export type PatrolCoverage = Schemas['PatrolCoverage']
export type PatrolState = PatrolPoint['state']

/** How points stand to their rhythm, the worst first. */
export const states = ['overdue', 'never', 'due', 'ok'] as const satisfies readonly PatrolState[]
export const tabs = ['points', 'gaps', 'areas'] as const
export type Tab = (typeof tabs)[number]
/** Windows that end now, in days; the second is the usual one. */
export const windows = [7, 30, 90] as const
const usual = 30
export type Opened = { what: 'point' | 'grid'; id: string }
export type Area = { level: Role; code: string }

/** What the page asks, as its address says it beside the filters' ends of the window and the words. */
export interface Asked {
  tab: Tab
  /** Only points that stand so; none: all. */
  states: PatrolState[]
  /** Where no end of the window was typed. */
  days: (typeof windows)[number]
  open: Opened | null
}

export function parseAsked(more: View['more']): Asked {
  const [what, ...id] = (more.open ?? '').split(':')
  const given = new Set(more.of?.split(','))
  const kind = (['point', 'grid'] as const).find(k => k === what)
  return {
    tab: tabs.find(tab => tab === more.tab) ?? 'points',
    states: states.filter(s => given.has(s)),
    days: windows.find(d => String(d) === more.time) ?? usual,
    open: kind && id.join(':') !== '' ? { what: kind, id: id.join(':') } : null,
  }
}

export function formatAsked(a: Asked): View['more'] {
  return {
    ...(a.tab !== 'points' ? { tab: a.tab } : {}),
    ...(a.states.length ? { of: a.states.join(',') } : {}),
    ...(a.days !== usual ? { time: String(a.days) } : {}),
    ...(a.open ? { open: `${a.open.what}:${a.open.id}` } : {}),
  }
}

/** The window as the service reads it: what was typed, else whole days of the city up to now, today being the last of them. */
export function windowOf(
  typed: { from: string | null; to: string | null },
  days: number,
  now: number,
  zone: string,
): { from?: string; to?: string } {
  if (typed.from === null && typed.to === null) return { from: apiTime(dayStart(now, zone, 1 - days), zone) }
  return { ...(typed.from ? { from: typed.from } : {}), ...(typed.to ? { to: typed.to } : {}) }
}

/** Whether something that lies in these areas is in the chosen one; in none chosen everything is. */
export function within(area: Area | null, at: { town?: string; village?: string; grid?: string }): boolean {
  if (!area || area.level === 'city') return true
  if (area.level === 'town') return at.town === area.code
  if (area.level === 'village') return at.village === area.code
  return area.level === 'grid' && at.grid === area.code
}
export const gridIn = (area: Area | null, g: PatrolGrid) =>
  within(area, { town: g.town, village: g.village, grid: g.grid.code })
export const pointIn = (area: Area | null, p: PatrolPoint) =>
  within(area, { town: p.town?.code, village: p.village?.code, grid: p.grid?.code })

/** Names from the smaller area to the larger; one that stands within a smaller one's name is not said again. */
export const apart = (names: readonly string[]): string[] =>
  names.filter((name, i) => name !== '' && !names.slice(0, i).some(n => n.startsWith(name)))

/** Points that are asked for, the longest overdue first, then those never visited, then by when they are due. */
export function pointsOf(
  points: readonly PatrolPoint[],
  asked: { area: Area | null; states: readonly PatrolState[]; words: string },
): PatrolPoint[] {
  const words = asked.words.toLowerCase().split(/\s+/).filter(Boolean)
  const text = (p: PatrolPoint) =>
    [p.name, p.note, ...[p.grid, p.village, p.town].flatMap(a => (a ? [a.name, a.name_latin, a.code] : []))]
      .join(' ')
      .toLowerCase()
  return points
    .filter(p => pointIn(asked.area, p))
    .filter(p => asked.states.length === 0 || asked.states.includes(p.state))
    .filter(p => words.length === 0 || words.every(w => text(p).includes(w)))
    .sort(
      (a, b) =>
        b.overdue_days - a.overdue_days ||
        states.indexOf(a.state) - states.indexOf(b.state) ||
        a.due.localeCompare(b.due) ||
        a.id - b.id,
    )
}

/** A grid that nobody visited in the window, with the point of it that waits longest. */
export interface Gap {
  grid: PatrolGrid
  worst: PatrolPoint | null
}

/**
 * The gaps, what matters most first: where there is a point and nobody comes, the longest overdue first; then where nobody has a
 * reason to go. Grids of which the rest is equal stand by code, and so beside their neighbours in the village.
 */
export function gapsOf(grids: readonly PatrolGrid[], points: readonly PatrolPoint[], area: Area | null): Gap[] {
  const worst = new Map<string, PatrolPoint>()
  for (const p of pointsOf(points, { area, states: [], words: '' }))
    if (p.grid && !worst.has(p.grid.code)) worst.set(p.grid.code, p)
  const over = (g: Gap) => g.worst?.overdue_days ?? 0
  return grids
    .filter(g => g.state !== 'visited' && gridIn(area, g))
    .map(grid => ({ grid, worst: worst.get(grid.grid.code) ?? null }))
    .sort(
      (a, b) =>
        Number(a.grid.state === 'no_point') - Number(b.grid.state === 'no_point') ||
        over(b) - over(a) ||
        a.grid.grid.code.localeCompare(b.grid.grid.code),
    )
}

/** The areas right below the chosen one, of which all grids are seen, those with the least visited first. */
export function below(coverage: PatrolCoverage, area: Area | null): PatrolArea[] {
  const has = (level: Role) => coverage.areas.some(a => a.area.level === level)
  const level = !area || area.level === 'city' ? (has('town') ? 'town' : 'village') : 'village'
  if (area && roles.indexOf(area.level) >= roles.indexOf(level)) return []
  const inside = new Set(coverage.grids.filter(g => gridIn(area, g)).map(g => (level === 'town' ? g.town : g.village)))
  const share = (a: PatrolArea) => a.visited.part / Math.max(1, a.visited.n)
  return coverage.areas
    .filter(a => a.area.level === level && inside.has(a.area.code))
    .sort((a, b) => share(a) - share(b) || a.area.code.localeCompare(b.area.code))
}

/** How far an area was gone by, without a share: of few grids none is told. */
export function classOf(a: { visited: { part: number; n: number }; no_point: number }): CoverClass {
  if (a.visited.part === a.visited.n) return 'all'
  if (a.visited.part > 0) return 'some'
  return a.no_point === a.visited.n ? 'no_point' : 'missed'
}

/** What the map colours: each level of the city from the zoom at which it is drawn until the next is. */
export function coverOf(coverage: PatrolCoverage | undefined, levels: City['levels']): Cover[] {
  if (!coverage) return []
  const shown = (['town', 'village', 'grid'] as const).filter(r => levels.some(l => l.role === r && l.count > 0))
  return shown.map((level, i) => {
    const codes: Record<CoverClass, string[]> = { all: [], some: [], missed: [], no_point: [] }
    if (level === 'grid') for (const g of coverage.grids) codes[gridClass(g)].push(g.grid.code)
    else for (const a of coverage.areas) if (a.area.level === level) codes[classOf(a)].push(a.area.code)
    const next = shown[i + 1]
    return { level, from: i === 0 ? 0 : levelFrom[level], to: next ? levelFrom[next] : 24, codes }
  })
}
const gridClass = (g: PatrolGrid): CoverClass => (g.state === 'visited' ? 'all' : g.state)

type Box = readonly [west: number, south: number, east: number, north: number]
/** Whether a map that shows a box shows an area in it whole, and large enough to be made out. */
export function wellSeen(shown: Box, area: Box): boolean {
  const inside = area[0] >= shown[0] && area[1] >= shown[1] && area[2] <= shown[2] && area[3] <= shown[3]
  return inside && area[2] - area[0] > (shown[2] - shown[0]) / 8
}

/** A point that is being set, or changed: what it will be. */
export interface Draft {
  /** As it was when the change began; null: it is new. */
  was: PatrolPoint | null
  name: string
  note: string
  rhythmDays: number | ''
  place: { lon: number; lat: number }
}
export const draftOf = (was: PatrolPoint): Draft => ({
  was,
  name: was.name,
  note: was.note ?? '',
  rhythmDays: was.rhythm_days,
  place: { lon: was.lon, lat: was.lat },
})
export type Field = 'name' | 'note' | 'rhythm' | 'place'

/** The fields in which a draft differs from a point. */
export function differs(d: Draft, from: PatrolPoint): Field[] {
  const fields: [Field, boolean][] = [
    ['name', d.name.trim() !== from.name],
    ['note', d.note.trim() !== (from.note ?? '')],
    ['rhythm', d.rhythmDays !== from.rhythm_days],
    ['place', d.place.lon !== from.lon || d.place.lat !== from.lat],
  ]
  return fields.flatMap(([field, is]) => (is ? [field] : []))
}

/** What to send of some of a draft's fields. */
export function changeOf(d: Draft, fields: readonly Field[]): Omit<Schemas['PatrolPointChange'], 'version'> {
  return {
    ...(fields.includes('name') ? { name: d.name.trim() } : {}),
    ...(fields.includes('note') ? { note: d.note.trim() } : {}),
    ...(fields.includes('rhythm') ? { rhythm_days: Number(d.rhythmDays) } : {}),
    ...(fields.includes('place') ? d.place : {}),
  }
}

/** What of a draft cannot be sent. */
export function wrong(d: Draft): 'noName' | 'badRhythm' | null {
  if (d.name.trim() === '') return 'noName'
  const days = Number(d.rhythmDays)
  return d.rhythmDays === '' || !Number.isInteger(days) || days < 1 || days > 366 ? 'badRhythm' : null
}
