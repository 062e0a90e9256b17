import { computed, type InjectionKey, inject, ref, watch } from 'vue'
import type { Center } from '../center/center'
import type { Span } from '../center/span'
import { filterParams, type View } from '../center/view'
import { ask } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import { type Role, roles, sources } from '../shared/api/types'
import type { CityTiles } from '../shared/map/geo'
import { type Breaks, breaksOf } from '../shared/map/heat'
import { apiTime, dayStart, parseTime } from '../shared/time/zone'
import { openEnd, type Step, shifted, stepNames, usualStep } from './window'

/** How hot and cold spots are looked for and shown, as the address says it besides the filters. */
export interface Asked {
  level: Role
  value: 'count' | 'rate'
  weights: string
  /** null: what suits the window. */
  step: Step | null
  show: 'spots' | 'rate' | 'heat'
  /** Of the heat, in metres; null: by rule. */
  bandwidth: number | null
  /** What the list shows. */
  tab: Tab
  /** Which proposals or orders: a state, `all`; null: those that the list begins with. */
  of: (typeof listed)[number] | null
  /** What is open beside the map. */
  open: Opened | null
  /** All the time there is was chosen: who comes with this address does not look at the last quarter. */
  all: boolean
  /** The window that is laid beside the one that is asked for: its first day. */
  beside: string | null
}

export const tabs = ['places', 'proposals', 'orders'] as const
export type Tab = (typeof tabs)[number]
const listed = ['all', 'open', 'declined', 'ordered', 'done', 'cancelled'] as const
export type Opened = { what: 'place' | 'proposal' | 'order'; id: string }
export const weightings = ['queen', 'rook', 'knn:8', 'band:1000', 'band:2000'] as const
export const bandwidths = [200, 400, 800, 1600] as const

export function parseAsked(more: View['more'], levels: readonly Role[]): Asked {
  const one = <T extends string>(value: string | undefined, known: readonly T[]): T | undefined =>
    known.find(k => k === value)
  const [what, ...id] = (more.open ?? '').split(':')
  const bandwidth = Number(more.bandwidth)
  const kind = one(what, ['place', 'proposal', 'order'] as const)
  return {
    level: one(more.level, levels) ?? levels.find(l => l === 'grid') ?? levels.at(-1) ?? 'grid',
    value: one(more.value, ['rate']) ?? 'count',
    weights: /^(queen|rook|knn:\d{1,4}|band:\d{1,7})$/.test(more.weights ?? '') ? more.weights! : 'queen',
    step: one(more.step, stepNames) ?? null,
    show: one(more.show, ['rate', 'heat'] as const) ?? 'spots',
    bandwidth: bandwidth >= 10 && bandwidth <= 20_000 ? bandwidth : null,
    tab: one(more.tab, tabs) ?? 'places',
    of: one(more.of, listed) ?? null,
    open: kind && id.join(':') !== '' ? { what: kind, id: id.join(':') } : null,
    all: more.time === 'all',
    beside: /^\d{4}-\d{2}-\d{2}$/.test(more.beside ?? '') ? more.beside! : null,
  }
}

/** What is as usual is left out. */
export function formatAsked(a: Asked, levels: readonly Role[]): View['more'] {
  const usual = parseAsked({}, levels)
  return {
    ...(a.level === usual.level ? {} : { level: a.level }),
    ...(a.value === 'count' ? {} : { value: a.value }),
    ...(a.weights === 'queen' ? {} : { weights: a.weights }),
    ...(a.step === null ? {} : { step: a.step }),
    ...(a.show === 'spots' ? {} : { show: a.show }),
    ...(a.bandwidth === null ? {} : { bandwidth: String(a.bandwidth) }),
    ...(a.tab === 'places' ? {} : { tab: a.tab }),
    ...(a.of === null ? {} : { of: a.of }),
    ...(a.open === null ? {} : { open: `${a.open.what}:${a.open.id}` }),
    ...(a.all ? { time: 'all' } : {}),
    ...(a.beside === null ? {} : { beside: a.beside }),
  }
}

/** What the heat is of where no source is asked for: as with hot spots, of what was told and not found by patrols. */
const told = { source: sources.filter(s => s !== 'patrol').join(',') }

/** How many places the list has at once. */
export const mostPlaces = 300

/**
 * What somebody was writing about proposals and orders in a city: put away, it is there again as long as the page is not loaded
 * anew. Whoever comes after them finds nothing of it.
 */
let kept = { of: '', forms: new Map<string, object>() }
function formsOf(of: string): Map<string, object> {
  if (kept.of !== of) kept = { of, forms: new Map() }
  return kept.forms
}

export type Study = ReturnType<typeof createStudy>
export const studyKey: InjectionKey<Study> = Symbol('study')
export function useStudy(): Study {
  const study = inject(studyKey)
  if (!study) throw new Error('the study is provided by HotspotsPage')
  return study
}

/** What the page of hotspots asks and gets, beside the filters, the window and the city that it shares with the map. */
export function createStudy(center: Center) {
  const { client } = center
  const levels = computed<Role[]>(() =>
    roles.filter(r => r !== 'city' && center.city.data.value?.levels.some(l => l.role === r && l.count > 0)),
  )
  const asked = computed(() => parseAsked(center.view.value.more, levels.value))
  function change(part: Partial<Asked>, step = true) {
    center.change({ more: formatAsked({ ...asked.value, ...part }, levels.value) }, step)
  }

  // A number, which stays the same all day: the window is no other one whenever the clock ticks.
  const end = computed(() => {
    const all = center.allTime.value
    return all ? openEnd(center.now.value, all, center.zone.value) : null
  })
  /** The window that is asked for, in whole days where an end is open; null: there is no time in it. */
  const window = computed<Span | null>(() => {
    const all = center.allTime.value
    if (!all || end.value === null) return null
    const { from, to } = center.window.value
    const w = { from: from ?? dayStart(all.from, center.zone.value), to: to ?? end.value }
    return w.from < w.to ? w : null
  })
  /** The other time, as long as the window; null: none is asked for, or the window is all the time there is. */
  const beside = computed<Span | null>(() => {
    const [w, all, first] = [window.value, center.allTime.value, asked.value.beside]
    const from = first ? parseTime(first, center.zone.value) : null
    if (!w || !all || from === null) return null
    const whole = w.from <= dayStart(all.from, center.zone.value) && w.to >= all.to
    return whole ? null : { from, to: from + (w.to - w.from) }
  })
  const step = computed<Step>(() => asked.value.step ?? (window.value ? usualStep(window.value) : 'month'))

  /** The question as the service reads it, of one window. */
  function question(w: Span) {
    const a = asked.value
    const { from: _, to: __, ...filters } = filterParams(center.view.value.filters)
    return {
      ...filters,
      from: apiTime(w.from, center.zone.value),
      to: apiTime(w.to, center.zone.value),
      level: a.level,
      weights: a.weights,
      value: a.value,
      step: usualOr(w),
    }
  }
  const usualOr = (w: Span) => asked.value.step ?? usualStep(w)
  const query = computed(() => (window.value && levels.value.length > 0 ? question(window.value) : null))

  const list = useResource(
    () => (center.can('report.view') ? query.value : null),
    (q, signal) => ask(client.GET('/hotspots', { params: { query: { ...q, limit: mostPlaces } }, signal })),
  )
  const code = computed(() => (asked.value.open?.what === 'place' ? asked.value.open.id : null))
  const detail = useResource(
    () => (code.value && query.value ? { code: code.value, query: query.value } : null),
    ({ code, query }, signal) => ask(client.GET('/hotspots/{code}', { params: { path: { code }, query }, signal })),
  )
  const smooth = computed(() => ({
    kernel: 'gaussian' as const,
    bandwidth: asked.value.bandwidth === null ? 'rule' : String(asked.value.bandwidth),
  }))
  const density = useResource(
    () => {
      if (asked.value.show !== 'heat' || !query.value) return null
      const { level: _, weights: __, value: ___, step: ____, ...filters } = query.value
      return { ...told, ...filters, ...smooth.value }
    },
    (q, signal) => ask(client.GET('/density', { params: { query: q }, signal })),
  )
  const rates = computed<Breaks | null>(() =>
    breaksOf(
      (list.data.value?.places ?? []).flatMap(p => (p.rate === undefined ? [] : [p.rate])).filter(r => r > 0),
      false,
    ),
  )

  /** Where the tiles of a window come from. */
  function tilesOf(w: Span): CityTiles {
    const at = (layer: string, query: Record<string, string>) =>
      `${location.origin}/${center.code}/v1/tiles/${layer}/{z}/{x}/{y}?${new URLSearchParams(query)}`
    const q = question(w)
    const { level: _, weights: __, value: ___, step: ____, ...filters } = q
    const heat = asked.value.show === 'heat'
    const plan = center.city.data.value?.plan?.version
    return {
      jurisdictions: at('jurisdictions', plan ? { plan } : {}),
      heat: heat ? at('heat', { ...told, ...filters, ...smooth.value }) : null,
      reports: null,
      cases: null,
      // Also under the heat: what is pointed at is a unit.
      hotspots: at('hotspots', q),
    }
  }

  function setWindow(w: Span) {
    const [from, to] = [apiTime(w.from, center.zone.value), apiTime(w.to, center.zone.value)]
    center.change({ filters: { ...center.view.value.filters, from, to } }, false)
  }
  /** The window so many steps on; null: it stands at the end. */
  function stepped(by: number): Span | null {
    const [w, all] = [window.value, center.allTime.value]
    return w && all ? shifted(w, step.value, by, all, center.zone.value) : null
  }
  /** Moves the window by steps; false: it stands at the end. */
  function shift(by: number): boolean {
    const next = stepped(by)
    if (next) setWindow(next)
    return next !== null
  }
  /** Moves the window to the beginning of all there is. */
  function rewind(): void {
    const [w, all] = [window.value, center.allTime.value]
    if (!w || !all) return
    let first = w
    for (let next: Span | null = w; next; next = shifted(next, step.value, -1, all, center.zone.value)) first = next
    setWindow(first)
  }

  /** The place that is lit in the list, or under the pointer on the map. */
  const lit = ref<string | null>(null)
  /** The places of the proposal or the order that is lit in the list, or open. */
  const outlined = ref<readonly string[]>([])
  const open = (opened: Opened | null) => {
    if (JSON.stringify(opened) !== JSON.stringify(asked.value.open)) change({ open: opened })
  }
  watch(
    () => asked.value.open,
    opened => {
      if (!opened) outlined.value = []
    },
  )
  /** Proposals or orders were changed, or may have been: they are asked for anew. */
  const changed = ref(0)
  return {
    center,
    levels,
    asked,
    change,
    window,
    beside,
    step,
    question,
    query,
    list,
    code,
    detail,
    density,
    rates,
    tilesOf,
    setWindow,
    stepped,
    shift,
    rewind,
    lit,
    outlined,
    get forms() {
      return formsOf(`${center.code} ${center.session.state.value?.person?.id ?? ''}`)
    },
    open,
    changed,
  }
}
