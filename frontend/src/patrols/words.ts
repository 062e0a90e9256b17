import { useI18n } from 'vue-i18n'
import type { ApiError } from '../shared/api/client'
import { unix } from '../shared/time/zone'
import type { PatrolPoint } from './patrols'
import type { Rounds } from './rounds'

/** What is said of points alike wherever they stand. */
export function useWords(rounds: Rounds) {
  const { t } = useI18n()
  const { center } = rounds
  const n = (v: number) => center.fmt.value.count(v)
  const ago = (time: string) => center.fmt.value.ago(unix(time), center.now.value)
  return {
    /** Shares come with two decimals; a page is read with one. */
    percent: (v: number) => (Math.round(v * 10) / 10).toString(),
    /** How a point stands, in a few words. */
    standing(p: PatrolPoint): string {
      if (p.overdue_days > 0)
        return t(p.state === 'never' ? 'patrols.neverOver' : 'patrols.over', { n: n(p.overdue_days) }, p.overdue_days)
      if (p.state === 'due') return t('patrols.today')
      return t(p.state === 'never' ? 'patrols.neverBy' : 'patrols.by', { day: p.due })
    },
    /** When somebody was there last. */
    since: (p: PatrolPoint): string =>
      p.last_at ? t('patrols.last', { ago: ago(p.last_at) }) : t('patrols.neverThere'),
    ago,
    exact: (time: string) => center.fmt.value.exact(unix(time)),
    problem: (e: ApiError) => rounds.words(e),
  }
}
