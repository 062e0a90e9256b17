import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { ListName } from '../home/homes'
import {
  type CaseState,
  caseStates,
  type Kind,
  kinds,
  type Role,
  roles,
  type Settler,
  type Source,
  settlers,
  sources,
} from '../shared/api/types'
import { unix } from '../shared/time/zone'

/** What the page shows, as the URL says it. Parsing never fails: what cannot be read is left out. */
export interface View {
  /** Centre and zoom of the map; without it the whole city. */
  at: { lon: number; lat: number; zoom: number } | null
  filters: Filters
  selected: Selection | null
  /** Which list the left pane shows; null: the home's first. */
  list: ListName | null
  heat: 'count' | 'density' | 'off'
  points: boolean
  cases: boolean
  borders: boolean
  basemap: boolean
  /** Whether the time bar shows the chosen window with some time around it instead of all there is. */
  near: boolean
  /** What a page beside the map asks besides, as it stands in the address. */
  more: Partial<Record<More, string>>
}

/** What of an address is a page's own. */
const mores = ['level', 'value', 'weights', 'step', 'show', 'bandwidth', 'tab', 'of', 'open', 'beside', 'time'] as const
type More = (typeof mores)[number]

/** As in the API: from ≤ captured_at < to, each a date of the city or RFC 3339 in UTC; an empty list means all. */
export interface Filters {
  items: string[]
  kinds: (Kind | 'none')[]
  sources: Source[]
  from: string | null
  to: string | null
  /** Aspects of the one-stop list in force. */
  aspects: string[]
  /** Of the report's own case; teams are the numbers of the units that lead it. */
  states: CaseState[]
  settled: (Settler | 'none')[]
  teams: string[]
  /** Hours of the day by the city's clocks, 0 to 23. */
  hours: number[]
  /** What is looked for in the list; map and numbers do not know words. */
  words: string
}

/** The longest that is looked for. */
export const maxWords = 200

export type Selection = { type: 'report'; num: number } | { type: 'area'; level: Role; code: string }

export const everything: Filters = {
  items: [],
  kinds: [],
  sources: [],
  from: null,
  to: null,
  aspects: [],
  states: [],
  settled: [],
  teams: [],
  hours: [],
  words: '',
}

const timePattern = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2}))?$/
const hours = Array.from({ length: 24 }, (_, h) => String(h))
const listNames: readonly ListName[] = ['reports', 'unplaced', 'plans', 'months']
const teamPattern = /^[1-9]\d{0,14}$/
const itemPattern = /^[^,\s]{1,64}$/u

function text(value: LocationQuery[string] | undefined): string | null {
  const v = Array.isArray(value) ? value[0] : value
  return v ?? null
}

function list<T extends string>(value: string | null, known: readonly T[]): T[] {
  const given = new Set(value?.split(','))
  return known.filter(k => given.has(k))
}

/** Codes that only the service knows, in a stable order. */
function codes(value: string | null, pattern: RegExp): string[] {
  return [...new Set(value?.split(','))].filter(c => pattern.test(c)).sort()
}

function time(value: string | null): string | null {
  return value !== null && timePattern.test(value) && !Number.isNaN(Date.parse(value)) ? value : null
}

function selection(value: string | null): Selection | null {
  const [head, ...rest] = (value ?? '').split(':')
  const tail = rest.join(':')
  if (head === 'report') {
    const num = Number(tail)
    return Number.isSafeInteger(num) && num > 0 ? { type: 'report', num } : null
  }
  const level = roles.find(r => r === head)
  return level && tail !== '' && tail.length <= 64 ? { type: 'area', level, code: tail } : null
}

function at(value: string | null): View['at'] {
  const parts = (value ?? '').split(',')
  const [lon, lat, zoom] = parts.map(p => (p.trim() === '' ? Number.NaN : Number(p)))
  if (parts.length !== 3 || ![lon, lat, zoom].every(Number.isFinite)) return null
  if (Math.abs(lon!) > 180 || Math.abs(lat!) > 85 || zoom! < 0 || zoom! > 22) return null
  return { lon: lon!, lat: lat!, zoom: zoom! }
}

export function parseView(query: LocationQuery): View {
  const heat = text(query.heat)
  return {
    at: at(text(query.at)),
    filters: {
      items: codes(text(query.item), itemPattern),
      kinds: list(text(query.kind), [...kinds, 'none'] as const),
      sources: list(text(query.source), sources),
      from: time(text(query.from)),
      to: time(text(query.to)),
      aspects: codes(text(query.aspect), itemPattern),
      states: list(text(query.state), caseStates),
      settled: list(text(query.settled_by), [...settlers, 'none'] as const),
      teams: codes(text(query.team), teamPattern).slice(0, 200),
      hours: list(text(query.hour), hours).map(Number),
      words: [...(text(query.q)?.trim() ?? '')].slice(0, maxWords).join(''),
    },
    selected: selection(text(query.sel)),
    list: list(text(query.list), listNames)[0] ?? null,
    heat: heat === 'off' || heat === 'density' ? heat : 'count',
    points: text(query.points) !== 'off',
    cases: text(query.cases) === 'on',
    borders: text(query.borders) !== 'off',
    basemap: text(query.basemap) !== 'off',
    near: text(query.span) === 'near',
    more: Object.fromEntries(
      mores.flatMap(name => (text(query[name]) ? [[name, text(query[name])!.slice(0, 200)]] : [])),
    ),
  }
}

/** The query of a view; what is as usual is left out, so that a link stays short. */
export function formatView(view: View): LocationQueryRaw {
  const f = view.filters
  const s = view.selected
  const q: LocationQueryRaw = {}
  if (view.at) q.at = `${fixed(view.at.lon, 5)},${fixed(view.at.lat, 5)},${fixed(view.at.zoom, 2)}`
  if (f.items.length) q.item = f.items.join(',')
  if (f.kinds.length) q.kind = f.kinds.join(',')
  if (f.sources.length) q.source = f.sources.join(',')
  if (f.from) q.from = f.from
  if (f.to) q.to = f.to
  if (f.aspects.length) q.aspect = f.aspects.join(',')
  if (f.states.length) q.state = f.states.join(',')
  if (f.settled.length) q.settled_by = f.settled.join(',')
  if (f.teams.length) q.team = f.teams.join(',')
  if (f.hours.length) q.hour = f.hours.join(',')
  if (f.words) q.q = f.words
  if (s) q.sel = s.type === 'report' ? `report:${s.num}` : `${s.level}:${s.code}`
  if (view.list) q.list = view.list
  if (view.heat !== 'count') q.heat = view.heat
  if (!view.points) q.points = 'off'
  if (view.cases) q.cases = 'on'
  if (!view.borders) q.borders = 'off'
  if (!view.basemap) q.basemap = 'off'
  if (view.near) q.span = 'near'
  for (const name of mores) if (view.more[name]) q[name] = view.more[name]
  return q
}

function fixed(n: number, digits: number): string {
  return String(Number(n.toFixed(digits)))
}

/** The filters as query parameters of map and numbers, in a stable order. */
export function filterParams(f: Filters): {
  item?: string
  kind?: string
  source?: string
  from?: string
  to?: string
  aspect?: string
  state?: string
  settled_by?: string
  team?: string
  hour?: string
} {
  return {
    ...(f.items.length ? { item: f.items.join(',') } : {}),
    ...(f.kinds.length ? { kind: f.kinds.join(',') } : {}),
    ...(f.sources.length ? { source: f.sources.join(',') } : {}),
    ...(f.from ? { from: f.from } : {}),
    ...(f.to ? { to: f.to } : {}),
    ...(f.aspects.length ? { aspect: f.aspects.join(',') } : {}),
    ...(f.states.length ? { state: f.states.join(',') } : {}),
    ...(f.settled.length ? { settled_by: f.settled.join(',') } : {}),
    ...(f.teams.length ? { team: f.teams.join(',') } : {}),
    ...(f.hours.length ? { hour: f.hours.join(',') } : {}),
  }
}

/** Whether only the service can tell which reports pass: what is asked for does not stand in the report. */
export function beyondReport(f: Filters): boolean {
  return f.words !== '' || asksCases(f) || f.aspects.length > 0 || f.hours.length > 0
}

/** Whether it is asked what has become of reports. */
export function asksCases(f: Filters): boolean {
  return f.states.length + f.settled.length + f.teams.length > 0
}

/** Whether a report passes the filters, as the server would decide; from and to as unix seconds or null. */
export function matches(
  report: { item: string; kind?: Kind; source: Source; captured_at: string },
  f: Filters,
  from: number | null,
  to: number | null,
): boolean {
  const t = unix(report.captured_at)
  return (
    (f.items.length === 0 || f.items.includes(report.item)) &&
    (f.kinds.length === 0 || f.kinds.includes(report.kind ?? 'none')) &&
    (f.sources.length === 0 || f.sources.includes(report.source)) &&
    (from === null || t >= from) &&
    (to === null || t < to)
  )
}

export function sameSelection(a: Selection | null, b: Selection | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
