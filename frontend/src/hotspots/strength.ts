import { spotAlphas } from '../shared/map/style'

/** Which of the three strengths a share of false discoveries is: 1 the surest; null: none. */
export function strength(q: number): 1 | 2 | 3 | null {
  const at = spotAlphas.findIndex(alpha => q <= alpha)
  return at < 0 ? null : ((at + 1) as 1 | 2 | 3)
}
