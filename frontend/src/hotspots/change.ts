import type { Effect } from '../shared/api/types'

/** At which the service says that a ratio has no upper bound. */
const maxRatio = 1000

/** An effect for reading: shares in whole percent, and where a ratio stands on a line from −100 % to +100 %. */
export function changeOf(e: Pick<Effect, 'reading' | 'low' | 'high'>): {
  words: { from: string; to: string }
  /** It rose, and it is not known how much at most. */
  open: boolean
  /** From 0 to 1; what is more than twice as many stands at the end; null: there is none. */
  at: (ratio: number | undefined) => number | null
} {
  const percent = (share: number) => `${Math.max(0, Math.round(share * 100))} %`
  const [low, high] = [e.low ?? 1, e.high ?? 1]
  const fell = e.reading === 'fell'
  return {
    words: fell ? { from: percent(1 - high), to: percent(1 - low) } : { from: percent(low - 1), to: percent(high - 1) },
    open: e.reading === 'rose' && high >= maxRatio,
    at: ratio => (ratio === undefined ? null : Math.min(1, Math.max(0, ratio / 2))),
  }
}
