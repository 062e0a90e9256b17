import type { DraftPhoto } from '../report/draft'
import type { TaskAct, TaskMeasure } from './tasks'

/** What is being said of a task: one for each case, under an id that is told from a report's. */
export interface ActDraft {
  id: string
  ref: string
  item: string
  act: TaskAct['act'] | null
  verdict: boolean | null
  photos: DraftPhoto[]
  reason: string
  measure: TaskMeasure | null
}

const prefix = 'act:'

export const freshActDraft = (ref: string): ActDraft => ({
  id: prefix + ref,
  ref,
  item: '',
  act: null,
  verdict: null,
  photos: [],
  reason: '',
  measure: null,
})

export const isActDraft = (d: { id: string }): d is ActDraft => d.id.startsWith(prefix)

/** Whether it is for this act. */
export const isOf = (d: ActDraft, a: TaskAct): boolean => d.act === a.act && d.verdict === (a.verdict ?? null)

/** Whether anything of it is worth keeping. */
export const startedAct = (d: ActDraft): boolean => d.photos.length > 0 || d.reason.trim() !== ''
