/** Groups what is sorted by time under the days it falls on. */
export function byDay<T>(list: readonly T[], day: (one: T) => string): { day: string; list: T[] }[] {
  const out: { day: string; list: T[] }[] = []
  for (const one of list) {
    const d = day(one)
    const last = out.at(-1)
    if (last?.day === d) last.list.push(one)
    else out.push({ day: d, list: [one] })
  }
  return out
}

/** How a count is told where there is little room. */
export function few(n: number): string {
  return n > 99 ? '99+' : String(n)
}
