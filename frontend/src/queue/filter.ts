import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import { maxWords } from '../center/view'
import { type CaseState, type QueueFilter, settlers } from '../shared/api/types'

/** The states in which somebody still has to do something, in the order of the work. */
export const openStates = [
  'reported',
  'confirming',
  'self_settled',
  'accepted',
  'filed',
  'returned',
  'dispatched',
  'received',
  'disposing',
  'suspended',
  'fed_back',
  'rework',
  'verified',
] as const satisfies readonly CaseState[]
export const colours = ['red', 'amber', 'green', 'none'] as const
export const ends = [...settlers, 'none'] as const
export const dues = ['overdue', '2h', 'today'] as const
export type Colour = (typeof colours)[number]

/** What the queue shows and in which order. Empty lists mean all. */
export interface Filter {
  states: CaseState[]
  colours: Colour[]
  aspects: string[]
  items: string[]
  settled: (typeof ends)[number][]
  /** Those that lead a case. */
  teams: number[]
  /** Those that lead or support it. */
  units: number[]
  towns: string[]
  due: (typeof dues)[number] | null
  mine: boolean
  sort: 'due' | 'opened'
  order: 'asc' | 'desc'
}
export const everything: Filter = {
  states: [],
  colours: [],
  aspects: [],
  items: [],
  settled: [],
  teams: [],
  units: [],
  towns: [],
  due: null,
  mine: false,
  sort: 'due',
  order: 'asc',
}

/** The page's address: the filter, what is open, and whether the map is there. Parsing never fails. */
export interface Place {
  filter: Filter
  /** What is looked for: no view keeps it. */
  words: string
  open: string | null
  map: boolean
}

const word = (value: LocationQuery[string] | undefined) => (Array.isArray(value) ? value[0] : value) ?? ''
const most = 200 // values of one filter, as the service takes them
const words = (value: LocationQuery[string] | undefined) =>
  [...new Set(word(value).split(','))].filter(v => /^[^,\s]{1,64}$/u.test(v)).slice(0, most)
const among = <T extends string>(known: readonly T[], given: readonly string[]) => known.filter(k => given.includes(k))

const numbers = (value: LocationQuery[string] | undefined) =>
  words(value)
    .map(Number)
    .filter(n => Number.isSafeInteger(n) && n > 0)

export function parsePlace(q: LocationQuery): Place {
  const open = word(q.case)
  return {
    filter: {
      states: among(openStates, words(q.state)),
      colours: among(colours, words(q.colour)),
      aspects: words(q.aspect).sort(),
      items: words(q.item).sort(),
      settled: among(ends, words(q.settled_by)),
      teams: numbers(q.team),
      units: numbers(q.unit),
      towns: words(q.town).sort(),
      due: among(dues, [word(q.due)])[0] ?? null,
      mine: word(q.mine) === 'true',
      sort: word(q.sort) === 'opened' ? 'opened' : 'due',
      order: word(q.order) === 'desc' ? 'desc' : 'asc',
    },
    words: [...word(q.q).trim()].slice(0, maxWords).join(''),
    open: /^[1-9]\d{0,9}(-[1-9]\d{0,2})?$/.test(open) ? open : null,
    map: word(q.map) !== 'off',
  }
}

/** The filter as parameters of the service and of the address; what is as usual is left out. */
export function params(f: Filter) {
  return {
    ...(f.states.length ? { state: f.states.join(',') } : {}),
    ...(f.colours.length ? { colour: f.colours.join(',') } : {}),
    ...(f.aspects.length ? { aspect: f.aspects.join(',') } : {}),
    ...(f.items.length ? { item: f.items.join(',') } : {}),
    ...(f.settled.length ? { settled_by: f.settled.join(',') } : {}),
    ...(f.teams.length ? { team: f.teams.join(',') } : {}),
    ...(f.units.length ? { unit: f.units.join(',') } : {}),
    ...(f.towns.length ? { town: f.towns.join(',') } : {}),
    ...(f.due ? { due: f.due } : {}),
    ...(f.mine ? { mine: 'true' as const } : {}),
    ...(f.sort === 'opened' ? { sort: f.sort } : {}),
    ...(f.order === 'desc' ? { order: f.order } : {}),
  }
}

/** What the service is asked. */
export function asked(p: Pick<Place, 'filter' | 'words'>) {
  return { ...params(p.filter), ...(p.words ? { q: p.words } : {}) }
}

/** What is asked of cases that are named: whether they are shown. Where they stand among the rows, the page knows. */
export const byNumber = (p: Pick<Place, 'filter' | 'words'>) =>
  asked({ ...p, filter: { ...p.filter, sort: everything.sort, order: everything.order } })

export function formatPlace(p: Place): LocationQueryRaw {
  return {
    ...asked(p),
    ...(p.open ? { case: p.open } : {}),
    ...(p.map ? {} : { map: 'off' }),
  }
}

/** A kept view's filter; of one that shows such as have ended, what is open is shown. */
export function ofView(f: QueueFilter): Filter {
  return {
    states: among(openStates, f.states ?? []),
    colours: among(colours, f.colours ?? []),
    aspects: [...(f.aspects ?? [])].sort(),
    items: [...(f.items ?? [])].sort(),
    settled: among(ends, f.settled_by ?? []),
    teams: [...(f.teams ?? [])],
    units: [...(f.units ?? [])],
    towns: [...(f.towns ?? [])].sort(),
    due: f.due ?? null,
    mine: f.mine ?? false,
    sort: f.sort ?? 'due',
    order: f.order ?? 'asc',
  }
}

/** A filter as the service keeps it. */
export function toView(f: Filter): QueueFilter {
  return {
    ...(f.states.length ? { states: f.states } : {}),
    ...(f.colours.length ? { colours: f.colours } : {}),
    ...(f.aspects.length ? { aspects: f.aspects } : {}),
    ...(f.items.length ? { items: f.items } : {}),
    ...(f.settled.length ? { settled_by: f.settled } : {}),
    ...(f.teams.length ? { teams: f.teams } : {}),
    ...(f.units.length ? { units: f.units } : {}),
    ...(f.towns.length ? { towns: f.towns } : {}),
    ...(f.due ? { due: f.due } : {}),
    ...(f.mine ? { mine: true } : {}),
    ...(f.sort === 'opened' ? { sort: f.sort } : {}),
    ...(f.order === 'desc' ? { order: f.order } : {}),
  }
}

export const same = (a: Filter, b: Filter) => JSON.stringify(params(a)) === JSON.stringify(params(b))
