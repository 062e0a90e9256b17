import type { OneStopItem, OneStopList } from '../../regime/types'
import { keep, kept } from '../../shared/prefs'

/** Items in the order in which they are offered: what this phone's person used last, then what the list has. */
export function offered(list: OneStopList, recent: readonly string[], q: string, words: (i: OneStopItem) => string[]) {
  const wanted = q.trim().toLowerCase()
  const fits = (i: OneStopItem) => !wanted || words(i).some(w => w.toLowerCase().includes(wanted))
  const items = list.items.filter(fits)
  const used = recent.flatMap(code => items.find(i => i.code === code) ?? [])
  return { used: wanted ? [] : used, rest: items }
}

const most = 4
const key = (city: string, person: string) => `fieldwork-items-${city}-${person}`

/** Codes alone, the last used first. */
export const recentItems = (city: string, person: string): string[] =>
  (kept(key(city, person)) ?? '').split(' ').filter(Boolean)

export function usedItem(city: string, person: string, code: string): void {
  keep(key(city, person), [code, ...recentItems(city, person).filter(c => c !== code)].slice(0, most).join(' '))
}

export const forgetItems = (city: string, person: string): void => keep(key(city, person), '')
