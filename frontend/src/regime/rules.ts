import { same } from './same'
import type { AssignmentParty, AssignmentRule, DiffRow, OneStopItem } from './types'

/** The kinds of units that have a territory: of such a kind the unit closest to the case answers. */
export const territorial = ['town_team', 'command_center', 'enforcement_committee'] as const
export const kinds = ['problem', 'inquiry', 'conflict'] as const

export const blankRule = (): AssignmentRule => ({ lead: { kind: 'town_team' } })

/** A rule without what it leaves empty, as the service keeps it. */
export function tidyRule(r: AssignmentRule): AssignmentRule {
  const some = <T>(list: readonly T[] | undefined) => (list && list.length > 0 ? [...list] : undefined)
  const out: AssignmentRule = { lead: r.lead }
  const [items, aspects, of, areas, support] = [
    some(r.items),
    some(r.aspects),
    some(r.kinds),
    some(r.areas),
    some(r.support),
  ]
  if (items) out.items = items
  if (aspects) out.aspects = aspects
  if (of) out.kinds = of
  if (areas) out.areas = areas
  if (r.hours) out.hours = r.hours
  if (support) out.support = support
  if (r.dispatch) out.dispatch = true
  return out
}

/** Rules that came from the service, each as the object that said the same before: of twins the first stays the first. */
export function held(before: readonly AssignmentRule[], next: readonly AssignmentRule[]): AssignmentRule[] {
  const left = [...before]
  return next.map(r => {
    const i = left.findIndex(x => same(x, r))
    return i < 0 ? r : left.splice(i, 1)[0]!
  })
}

export const sameParty = (a: AssignmentParty, b: AssignmentParty): boolean =>
  (a.unit ?? 0) === (b.unit ?? 0) && (a.kind ?? '') === (b.kind ?? '')

const open = (list: readonly unknown[] | undefined) => !list || list.length === 0
const among = (list: readonly string[] | undefined, v: string) => !list || list.length === 0 || list.includes(v)

/** The items for which there is no rule that holds everywhere and always: some of their cases go by territory. */
export function fallsThrough(rules: readonly AssignmentRule[], items: readonly OneStopItem[]): OneStopItem[] {
  const whole = rules.filter(r => open(r.kinds) && open(r.areas) && !r.hours)
  return items.filter(i => !whole.some(r => among(r.items, i.code) && among(r.aspects, i.aspect)))
}

/** What differs between two lists of rules: lines that are gone, and lines that are new, each with its number. */
export function diffRules(
  a: readonly AssignmentRule[],
  b: readonly AssignmentRule[],
  words: (r: AssignmentRule) => string,
  line: (n: number) => string,
): DiffRow[] {
  const [x, y] = [a.map(tidyRule), b.map(tidyRule)]
  // How long the longest common run is of what follows, line by line.
  const run = Array.from({ length: x.length + 1 }, () => new Uint16Array(y.length + 1))
  for (let i = x.length - 1; i >= 0; i--)
    for (let k = y.length - 1; k >= 0; k--)
      run[i]![k] = same(x[i], y[k]) ? run[i + 1]![k + 1]! + 1 : Math.max(run[i + 1]![k]!, run[i]![k + 1]!)
  const rows: DiffRow[] = []
  const row = (change: 'new' | 'gone', n: number, r: AssignmentRule) =>
    rows.push({ key: `${change} ${n}`, change, title: `${line(n)} ${words(r)}`, fields: [] })
  let [i, k] = [0, 0]
  while (i < x.length || k < y.length) {
    if (i < x.length && k < y.length && same(x[i], y[k])) {
      i++
      k++
    } else if (k === y.length || (i < x.length && run[i + 1]![k]! >= run[i]![k + 1]!)) {
      row('gone', i + 1, x[i]!)
      i++
    } else {
      row('new', k + 1, y[k]!)
      k++
    }
  }
  return rows
}
