/**
 * A day as people type it, the year first, as 2026-04-01; null where it is none. They part year, month and day in whatever
 * way: 2026-4-1, 2026/4/1, 2026.4.1, 2026年4月1日, 20260401.
 */
export function tidyDay(text: string): string | null {
  const m = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(spread(text.trim()))
  if (!m) return null
  const [y, mo, d] = [Number(m[1]), Number(m[2]), Number(m[3])]
  const at = new Date(Date.UTC(y, mo - 1, d))
  if (y < 1000 || at.getUTCMonth() !== mo - 1 || at.getUTCDate() !== d) return null // there is no 30 February
  return at.toISOString().slice(0, 10)
}

/** The day some days later, or earlier where negative. */
export function later(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

/** Parts eight digits that begin a text into year, month and day. */
export function spread(text: string): string {
  return text.replace(/^(\d{4})(\d\d)(\d\d)(?!\d)/, '$1-$2-$3')
}
