/** How heat cells are coloured: five classes whose limits are round numbers taken from the cells in view. */

/** Lower limits of classes 2…5; class 1 begins at the smallest value there is. */
export type Breaks = readonly [number, number, number, number]

const quantiles = [0.5, 0.75, 0.9, 0.97] as const
const mantissas = [1, 1.5, 2, 3, 5, 7, 10]

/** The round number next to v: 1, 1.5, 2, 3, 5 or 7 times a power of ten. */
function round(v: number): number {
  const power = 10 ** Math.floor(Math.log10(v))
  const m = v / power
  let best = mantissas[0]!
  for (const c of mantissas) if (Math.abs(c - m) < Math.abs(best - m)) best = c
  return Number((best * power).toPrecision(2))
}

/**
 * Limits for the values of the cells in view (each > 0), ascending and different from one another. Counts are whole, so
 * their limits are; densities may have fractions. Null where no cell has a report.
 */
export function breaksOf(values: readonly number[], whole: boolean): Breaks | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  let low = whole ? 1 : round(sorted[0]!)
  const found = quantiles.map(q => {
    let limit = round(sorted[Math.floor(q * (sorted.length - 1))]!)
    if (whole) limit = Math.max(low + 1, Math.round(limit))
    else if (limit <= low * 1.2) limit = round(low * 1.6)
    low = limit
    return limit
  })
  return found as unknown as Breaks
}

/** A class as the legend writes it: from (included) to (excluded for densities, included for counts); null where open. */
export function classes(breaks: Breaks, whole: boolean): { from: number | null; to: number | null }[] {
  const lows = [whole ? 1 : null, ...breaks]
  return lows.map((from, i) => {
    const next = breaks[i]
    return { from, to: next === undefined ? null : whole ? next - 1 : next }
  })
}
