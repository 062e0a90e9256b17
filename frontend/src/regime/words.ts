import { useI18n } from 'vue-i18n'
import { inWords } from '../shared/i18n/names'
import { limitWords, parseLimit } from './limits'
import type { OneStopStage } from './types'

/** Limits as they are said: 4 工作时, 4 working hours. */
export function useLimits() {
  const { t, locale } = useI18n()
  function limit(text: string): string {
    const l = parseLimit(text)
    if (!l) return text
    const { key, n, count } = limitWords(l)
    return t(key, { n }, count)
  }
  const stages = (list: readonly OneStopStage[]): string[] =>
    list.map(s => [inWords(s.name, locale.value), limit(s.limit)].filter(Boolean).join(' '))
  return { limit, stages }
}
