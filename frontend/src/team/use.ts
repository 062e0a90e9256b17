import { computed, onBeforeUnmount } from 'vue'
import { useNotices } from '../admin/notices'
import { type Admin, useAdmin } from '../admin/use'
import { ApiError } from '../shared/api/client'
import { serverWords } from '../shared/api/words'
import { Coalescer } from '../shared/map/coalesce'
import { useFeed } from '../shared/session/feed'
import type { Shift, TeamPerson } from './types'
import { clockText, daysOn, type Span, spanOf } from './week'

/** The words in the reader's language for what these pages show. */
export function useTeams() {
  const admin = useAdmin()
  const { t, te, locale } = admin
  const notices = useNotices()
  const me = computed(() => admin.session.state.value?.person?.id ?? '')

  /** What went wrong, in the reader's language. */
  function words(e: ApiError): string {
    if (e.offline) return t('error.offline')
    const key = `teamFault.${e.problem.code}`
    return te(key) ? t(key) : (serverWords(e, locale.value) ?? admin.words(e))
  }
  const clock = (unix: number) => clockText(unix, admin.zone.value)
  /** The times of a shift: 20:00 – next day 08:00. */
  function times(s: Span): string {
    const n = daysOn(s, admin.zone.value)
    const to = clock(s.to)
    const end = n === 0 ? (to === '00:00' ? '24:00' : to) : n === 1 ? t('team.nextDay', { at: to }) : onDay(s.to)
    return t('team.times', { from: clock(s.from), to: end })
  }
  /** A day and the time of day: 26 Nov, 08:00. */
  const onDay = (unix: number) => t('team.dayAt', { day: admin.fmt.value.monthDay(unix), at: clock(unix) })
  /** A day and the times of a span. */
  const when = (s: Span) => t('team.dayTimes', { day: weekday(s.from), times: times(s) })
  const weekday = (unix: number) =>
    new Intl.DateTimeFormat(locale.value === 'zh' ? 'zh-CN' : 'en-GB', {
      timeZone: admin.zone.value,
      weekday: 'short',
      month: 'short',
      day: 'numeric',
    }).format(unix * 1000)
  const nameOf = (p: TeamPerson) => p.name || t('team.erased')

  return {
    ...admin,
    admin,
    me,
    words,
    clock,
    times,
    onDay,
    when,
    weekday,
    nameOf,
    shiftWords: (s: Shift) => t('team.shiftOf', { name: nameOf(s.person), when: when(spanOf(s)) }),
    both: (w: { zh: string; en: string }) => (locale.value === 'zh' ? w.zh : w.en),
    say: notices.say,
    /** Runs what can be refused, and says so at the foot of the page; false: it was. */
    async attempt(act: () => Promise<void>): Promise<boolean> {
      try {
        await act()
        return true
      } catch (e) {
        if (!(e instanceof ApiError)) throw e
        notices.say(words(e))
        return false
      }
    },
  }
}
export type Teams = ReturnType<typeof useTeams>

/** Calls when a unit's team has changed (null: whichever), or how many cases it has; where the reader may hear the feed. */
export function useTeamFeed(admin: Admin, unit: () => number | null, changed: (roster: boolean) => void): void {
  const soon = new Coalescer<boolean>(800, batch => changed(batch.some(Boolean)))
  const { state } = useFeed(admin.session, () => admin.session.can('report.view'), {
    back: () => soon.add(true),
    event(type, data) {
      if (type === 'team.changed') {
        if (unit() === null || (data as { unit: number }).unit === unit()) soon.add(true)
      } else if (type === 'case.changed' || type === 'report.filed' || type === 'report.imported') {
        const units = (data as { units?: number[] }).units
        if (unit() === null || !units || units.includes(unit()!)) soon.add(false)
      } else if (type === 'reset' || type === 'city.changed') soon.add(true)
    },
  })
  // Whoever hears no feed sees what is new when coming back to the page.
  const back = () => {
    if (document.visibilityState === 'visible' && state.value !== 'live') soon.add(true)
  }
  document.addEventListener('visibilitychange', back)
  onBeforeUnmount(() => {
    document.removeEventListener('visibilitychange', back)
    soon.stop()
  })
}
