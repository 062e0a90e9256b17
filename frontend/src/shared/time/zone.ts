/** Wall time of a city. All instants are unix seconds; a wall time is what a clock on the town hall would show. */

/** The instant of a time as the API writes it. */
export const unix = (time: string) => Date.parse(time) / 1000

/** An instant as the API reads it, to the second. */
export const iso = (at: number) => new Date(Math.floor(at) * 1000).toISOString().replace('.000Z', 'Z')

export interface Wall {
  year: number
  month: number
  day: number
  hour: number
  minute: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(zone: string): Intl.DateTimeFormat {
  let f = formats.get(zone)
  if (!f) {
    f = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formats.set(zone, f)
  }
  return f
}

export function wall(unix: number, zone: string): Wall {
  const part: Record<string, number> = {}
  for (const { type, value } of format(zone).formatToParts(unix * 1000)) part[type] = Number(value)
  return { year: part.year!, month: part.month!, day: part.day!, hour: part.hour!, minute: part.minute! }
}

/** Seconds that the zone is ahead of UTC at the instant. */
function offset(unix: number, zone: string): number {
  const w = wall(unix, zone)
  const asUTC = Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute) / 1000
  return asUTC - Math.floor(unix / 60) * 60
}

/**
 * The instant of a wall time. Of a wall time that happens twice (clocks set back) the first is meant; one that never
 * happens (clocks set forward) is read with the offset before the change, and so lands after it.
 */
export function instant(w: Wall, zone: string): number {
  const asUTC = Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute) / 1000
  const before = asUTC - offset(asUTC - 86_400, zone)
  const after = asUTC - offset(asUTC + 86_400, zone)
  const works = [before, after].filter(u => u + offset(u, zone) === asUTC)
  return works.length > 0 ? Math.min(...works) : before
}

/** The first instant of the wall day that holds the instant, days days later (or earlier, where negative). */
export function dayStart(unix: number, zone: string, days = 0): number {
  const w = wall(unix, zone)
  const d = new Date(Date.UTC(w.year, w.month - 1, w.day + days))
  return instant(
    { year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate(), hour: 0, minute: 0 },
    zone,
  )
}

const two = (n: number) => String(n).padStart(2, '0')

/** YYYY-MM-DD of the instant in the zone. */
export function dayText(unix: number, zone: string): string {
  const w = wall(unix, zone)
  return `${String(w.year).padStart(4, '0')}-${two(w.month)}-${two(w.day)}`
}

/**
 * An instant as the API takes it: a bare date where it is a midnight of the city, RFC 3339 in UTC otherwise.
 */
export function apiTime(unix: number, zone: string): string {
  const day = dayText(unix, zone)
  return parseTime(day, zone) === unix ? day : iso(unix)
}

/** Reads what apiTime writes, and YYYY-MM-DD HH:MM as wall time of the zone; null for anything else. */
export function parseTime(text: string, zone: string): number | null {
  const t = text.trim()
  const m = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2}))?$/.exec(t)
  if (m) {
    const [year, month, day, hour, minute] = m.slice(1).map(v => Number(v ?? 0)) as [
      number,
      number,
      number,
      number,
      number,
    ]
    const d = new Date(Date.UTC(year, month - 1, day))
    if (d.getUTCMonth() !== month - 1 || d.getUTCDate() !== day || hour > 23 || minute > 59) return null
    return instant({ year, month, day, hour, minute }, zone)
  }
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$/.test(t)) return null
  const ms = Date.parse(t)
  return Number.isNaN(ms) ? null : ms / 1000
}
