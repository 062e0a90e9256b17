import { dayText } from '../time/zone'
import { type Locale, localeTag } from './locale'

/** Numbers, distances and times in the reader's language and the city's zone. */
export function formatter(locale: Locale, zone: string) {
  const tag = localeTag[locale]
  const integer = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 })
  const significant = new Intl.NumberFormat(tag, { maximumSignificantDigits: 3 })
  const options = { timeZone: zone, hourCycle: 'h23' } as const
  const exact = new Intl.DateTimeFormat(tag, { ...options, dateStyle: 'medium', timeStyle: 'medium' })
  const minute = new Intl.DateTimeFormat(tag, { ...options, hour: '2-digit', minute: '2-digit' })
  const monthDay = new Intl.DateTimeFormat(tag, { ...options, month: 'short', day: 'numeric' })
  const month = new Intl.DateTimeFormat(tag, { ...options, month: 'short' })
  const yearMonth = new Intl.DateTimeFormat(tag, { ...options, year: 'numeric', month: 'short' })
  const year = new Intl.DateTimeFormat(tag, { ...options, year: 'numeric' })
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: locale === 'zh' ? 'long' : 'short' })

  const unit = (unit: 'minute' | 'hour' | 'day') =>
    new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 })
  const [minutes, hours, days] = [unit('minute'), unit('hour'), unit('day')]

  /** As the words around it are set: with a space between digits and Han. */
  const since = (n: number, unit: Intl.RelativeTimeFormatUnit) =>
    relative.format(n, unit).replace(/(?<=\d)(?=\p{Script=Han})/u, ' ')

  return {
    count: (n: number) => integer.format(n),
    significant: (n: number) => significant.format(n),
    /** Date and time to the second. */
    exact: (unix: number) => exact.format(unix * 1000),
    minute: (unix: number) => minute.format(unix * 1000),
    monthDay: (unix: number) => monthDay.format(unix * 1000),
    month: (unix: number) => month.format(unix * 1000),
    yearMonth: (unix: number) => yearMonth.format(unix * 1000),
    year: (unix: number) => year.format(unix * 1000),
    day: (unix: number) => dayText(unix, zone),
    /** A short "how long ago": minutes and hours within a day, days within a month, the date beyond. */
    ago(unix: number, now: number): string {
      const s = now - unix
      if (Math.abs(s) < 60) return relative.format(0, 'second')
      if (Math.abs(s) < 3600) return since(-Math.trunc(s / 60), 'minute')
      if (Math.abs(s) < 86_400) return since(-Math.trunc(s / 3600), 'hour')
      if (Math.abs(s) < 30 * 86_400) return since(-Math.trunc(s / 86_400), 'day')
      return dayText(unix, zone)
    },
    /** How long something took, in the largest unit of which there are two. */
    span(s: number): string {
      if (s < 7_200) return minutes.format(s / 60)
      return s < 2 * 86_400 ? hours.format(s / 3600) : days.format(s / 86_400)
    },
    /** A distance as the number and unit key to put into words: metres below a kilometre, kilometres above. */
    distance(m: number): { key: 'unit.m' | 'unit.km'; n: string } {
      if (m >= 1000) return { key: 'unit.km', n: significant.format(m / 1000) }
      return { key: 'unit.m', n: m < 10 ? significant.format(Number(m.toFixed(2))) : integer.format(m) }
    },
    area(m2: number): { key: 'unit.m2' | 'unit.km2'; n: string } {
      if (m2 >= 1e5) return { key: 'unit.km2', n: significant.format(m2 / 1e6) }
      return { key: 'unit.m2', n: integer.format(m2) }
    },
  }
}

export type Formatter = ReturnType<typeof formatter>
