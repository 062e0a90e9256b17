import type { CaseDetail } from '../shared/api/types'

export type Done = CaseDetail['acts'][number]
export type Late = CaseDetail['late'][number]
/** A line of a case's history: what was done, or what came too late and changed nothing. */
export type Entry = { done: Done; late?: undefined } | { late: Late; done?: undefined }

/** The history, the last first: what came too late stands where it came, after the acts that were quicker. */
export function entriesOf(detail: Pick<CaseDetail, 'acts' | 'late'>): Entry[] {
  const cameAfter = (n: number): Entry[] => detail.late.filter(l => l.after === n).map(late => ({ late }))
  return detail.acts.flatMap(done => [{ done }, ...cameAfter(done.n)]).toReversed()
}

/** What was quicker than something that was done on a version of the case: the first act that it had not seen. */
export const quickerThan = (detail: Pick<CaseDetail, 'acts'>, seen: number): Done | undefined =>
  detail.acts.find(a => a.n > seen)

/** When something was done, where that was not when it came; a minute is nothing. */
export function doneBefore(d: { at: string; done_at?: string }): string | null {
  return d.done_at && Date.parse(d.at) - Date.parse(d.done_at) > 60_000 ? d.done_at : null
}
