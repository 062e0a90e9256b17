import { inWords } from '../shared/i18n/names'
import { writeStages } from './limits'
import { moved, same } from './same'
import type { DiffRow, OneStopAspect, OneStopItem, OneStopList, OneStopScreening, Words } from './types'

// Changes of a one-stop list: each takes a list and gives another.

export const stepNames = ['dispatch', 'confirm', 'self_settle', 'receive', 'return', 'verify', 'review'] as const

export const blankList = (): OneStopList => ({
  aspects: [],
  items: [],
  other: { first: '4 wh', stages: [{ limit: '5 wd' }] },
  steps: {
    dispatch: '1 wh',
    confirm: '4 wh',
    self_settle: '1 wd',
    receive: '1 wh',
    return: '4 wh',
    verify: '1 wd',
    review: '30 d',
  },
})

export const screeningLevels = ['microgrid', 'grid', 'village', 'town'] as const

/** The rule by which a list is screened; one that says nothing has the usual one. */
export const screened = (list: OneStopList): OneStopScreening =>
  list.screening ?? { level: 'grid', days: 28, least: 12, q: 0.05 }

export const sameRule = (a: OneStopScreening, b: OneStopScreening) =>
  a.level === b.level && a.days === b.days && a.least === b.least && a.q === b.q

const within = (n: number, min: number, max: number) => Number.isInteger(n) && n >= min && n <= max
/** How many reports of an item make it high-frequency. */
export const isLeast = (n: number) => within(n, 2, 10000)
/** Which numbers of a rule are out of their bounds. */
export function screeningFaults(r: OneStopScreening): ('days' | 'least' | 'percent')[] {
  const faults: ('days' | 'least' | 'percent')[] = []
  if (!within(r.days, 7, 366)) faults.push('days')
  if (!isLeast(r.least)) faults.push('least')
  if (!(r.q >= 0.001 && r.q <= 0.2)) faults.push('percent')
  return faults
}

export const blankItem = (code: string, aspect: string): OneStopItem => ({
  code,
  aspect,
  name: { zh: '', en: '' },
  responders: {},
  basis: '',
  first: '4 wh',
  stages: [{ limit: '5 wd' }],
  may_settle: false,
  evidence: {},
  self_help: {},
  whistle: {},
})

/** The first code after the largest number among them, with as many digits. */
export function nextCode(codes: readonly string[]): string {
  const numbers = codes.filter(c => /^\d+$/.test(c))
  const largest = Math.max(0, ...numbers.map(Number))
  const width = Math.max(2, ...numbers.map(c => c.length))
  return String(largest + 1).padStart(width, '0')
}

export const nextAspect = (codes: readonly string[]): string =>
  [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].find(c => !codes.includes(c)) ?? `A${codes.length + 1}`

/** The list by aspects, in their order. */
export const groupsOf = (list: OneStopList): { aspect: OneStopAspect; items: OneStopItem[] }[] =>
  list.aspects.map(aspect => ({ aspect, items: list.items.filter(i => i.aspect === aspect.code) }))

export function putItem(list: OneStopList, item: OneStopItem, before?: string): OneStopList {
  const at = list.items.findIndex(i => i.code === before)
  const items = at < 0 ? [...list.items, item] : list.items.map((i, k) => (k === at ? item : i))
  return { ...list, items }
}
export const dropItem = (list: OneStopList, code: string): OneStopList => ({
  ...list,
  items: list.items.filter(i => i.code !== code),
})

/** Moves an item up or down among those of its aspect. */
export function moveItem(list: OneStopList, code: string, by: -1 | 1): OneStopList {
  const at = list.items.findIndex(i => i.code === code)
  const aspect = list.items[at]?.aspect
  let to = at + by
  while (list.items[to] && list.items[to]!.aspect !== aspect) to += by
  return list.items[to] ? { ...list, items: moved(list.items, at, to - at) } : list
}

export function putAspect(list: OneStopList, aspect: OneStopAspect, before?: string): OneStopList {
  const at = list.aspects.findIndex(a => a.code === before)
  if (at < 0) return { ...list, aspects: [...list.aspects, aspect] }
  return {
    ...list,
    aspects: list.aspects.map((a, k) => (k === at ? aspect : a)),
    items: list.items.map(i => (i.aspect === before ? { ...i, aspect: aspect.code } : i)),
  }
}
export const dropAspect = (list: OneStopList, code: string): OneStopList => ({
  ...list,
  aspects: list.aspects.filter(a => a.code !== code),
})
export const moveAspect = (list: OneStopList, code: string, by: -1 | 1): OneStopList => ({
  ...list,
  aspects: moved(
    list.aspects,
    list.aspects.findIndex(a => a.code === code),
    by,
  ),
})

export type Field =
  | 'code'
  | 'aspect'
  | 'name'
  | 'responders'
  | 'basis'
  | 'first'
  | 'disposal'
  | 'settle'
  | 'evidence'
  | 'selfHelp'
  | 'whistle'
  | 'least'
  | 'place'
  | 'step'
  | 'rule'

const both = (w: Words | undefined) => [w?.zh, w?.en].filter(Boolean).join(' / ')

const fieldsOf = (i: OneStopItem): [Field, string][] => [
  ['aspect', i.aspect],
  ['name', both(i.name)],
  ['responders', both(i.responders)],
  ['basis', i.basis],
  ['first', i.first],
  ['disposal', writeStages(i.stages)],
  ['settle', i.may_settle ? 'yes' : 'no'],
  ['evidence', both(i.evidence)],
  ['selfHelp', both(i.self_help)],
  ['whistle', both(i.whistle)],
  ['least', i.least ? String(i.least) : ''],
]

/** What the page calls things: fields, steps, yes and no. */
export interface Namer {
  field(f: Field): string
  step(name: (typeof stepNames)[number]): string
  aspect: string
  other: string
  screening: string
  /** A rule of screening, as it is said. */
  rule(r: OneStopScreening): string
  /** A limit, and those of stages, as they are said. */
  limit(text: string): string
  disposal(text: string): string
  yes: string
  no: string
}

/** The members of the longest rising run through a list of numbers: those that kept their places among each other. */
function stays(list: readonly number[]): Set<number> {
  const length: number[] = []
  const before: number[] = []
  let best = -1
  list.forEach((v, i) => {
    length[i] = 1
    before[i] = -1
    for (let k = 0; k < i; k++)
      if (list[k]! < v && length[k]! + 1 > length[i]!) {
        length[i] = length[k]! + 1
        before[i] = k
      }
    if (best < 0 || length[i]! > length[best]!) best = i
  })
  const kept = new Set<number>()
  for (let i = best; i >= 0; i = before[i]!) kept.add(list[i]!)
  return kept
}

/** What is another in the second list, in the order of the second one, then what is gone. */
export function diffLists(a: OneStopList, b: OneStopList, locale: 'zh' | 'en', n: Namer): DiffRow[] {
  const rows: DiffRow[] = []
  const spoken = (f: Field, v: string) =>
    f === 'settle' ? (v === 'yes' ? n.yes : n.no) : f === 'first' ? n.limit(v) : f === 'disposal' ? n.disposal(v) : v
  for (const x of b.aspects) {
    const was = a.aspects.find(y => y.code === x.code)
    const row = { key: `aspect ${x.code}`, title: `${n.aspect} ${x.code} ${inWords(x.name, locale)}` }
    if (!was) rows.push({ ...row, change: 'new', fields: [] })
    else if (!same(was.name, x.name))
      rows.push({
        ...row,
        change: 'changed',
        fields: [{ name: n.field('name'), before: both(was.name), after: both(x.name) }],
      })
  }
  for (const x of a.aspects)
    if (!b.aspects.some(y => y.code === x.code))
      rows.push({
        key: `aspect ${x.code}`,
        change: 'gone',
        title: `${n.aspect} ${x.code} ${inWords(x.name, locale)}`,
        fields: [],
      })
  const orderA = a.items.map(i => i.code).filter(c => b.items.some(j => j.code === c))
  const orderB = b.items.map(i => i.code).filter(c => orderA.includes(c))
  const stayed = stays(orderB.map(c => orderA.indexOf(c)))
  for (const i of b.items) {
    const was = a.items.find(j => j.code === i.code)
    const row = { key: `item ${i.code}`, title: `${i.code} ${inWords(i.name, locale)}` }
    if (!was) {
      const fields = fieldsOf(i)
        .filter(([, v]) => v !== '' && v !== 'no')
        .map(([f, v]) => ({ name: n.field(f), before: '', after: spoken(f, v) }))
      rows.push({ ...row, change: 'new', fields })
      continue
    }
    const before = fieldsOf(was)
    const fields = fieldsOf(i)
      .map(([f, after], k) => ({ f, before: before[k]![1], after }))
      .filter(d => d.before !== d.after)
      .map(d => ({ name: n.field(d.f), before: spoken(d.f, d.before), after: spoken(d.f, d.after) }))
    const [from, to] = [orderA.indexOf(i.code), orderB.indexOf(i.code)]
    if (!stayed.has(from)) fields.push({ name: n.field('place'), before: String(from + 1), after: String(to + 1) })
    if (fields.length > 0) rows.push({ ...row, change: 'changed', fields })
  }
  for (const i of a.items)
    if (!b.items.some(j => j.code === i.code))
      rows.push({
        key: `item ${i.code}`,
        change: 'gone',
        title: `${i.code} ${inWords(i.name, locale)}`,
        fields: [],
      })
  const limits = [
    { name: n.field('first'), before: n.limit(a.other.first), after: n.limit(b.other.first) },
    {
      name: n.field('disposal'),
      before: n.disposal(writeStages(a.other.stages)),
      after: n.disposal(writeStages(b.other.stages)),
    },
  ].filter(d => d.before !== d.after)
  if (limits.length > 0) rows.push({ key: 'other', change: 'changed', title: n.other, fields: limits })
  for (const s of stepNames)
    if (a.steps[s] !== b.steps[s])
      rows.push({
        key: `step ${s}`,
        change: 'changed',
        title: n.step(s),
        fields: [{ name: n.field('step'), before: n.limit(a.steps[s]), after: n.limit(b.steps[s]) }],
      })
  const [before, after] = [screened(a), screened(b)]
  if (!sameRule(before, after))
    rows.push({
      key: 'screening',
      change: 'changed',
      title: n.screening,
      fields: [{ name: n.field('rule'), before: n.rule(before), after: n.rule(after) }],
    })
  return rows
}
