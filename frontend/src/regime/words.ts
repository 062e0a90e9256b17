import { useI18n } from 'vue-i18n'
import { limitWords, parseLimit } from './limits'
import { inLanguage, type OneStopStage } from './types'

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
    list.map(s => [inLanguage(s.name, locale.value as 'zh' | 'en'), limit(s.limit)].filter(Boolean).join(' '))
  return { limit, stages }
}
