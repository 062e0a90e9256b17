import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import { ask } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { CaseRow } from '../shared/api/types'
import type { Room } from './room'

/** A queue of cases, what is due first at its top: page after page, and read anew when a case was changed. */
export function useQueue(room: Room, question: () => { state: string; mine?: 'true' } | null) {
  const rows = shallowRef<CaseRow[]>([])
  const next = ref<string>()
  const loadingMore = ref(false)
  const moreFailed = ref(false)
  const page = (query: object, signal?: AbortSignal) =>
    ask(room.client.GET('/cases', { params: { query: { ...query, limit: 50 } }, signal }))

  const first = useResource(question, (q, signal) => page(q, signal))
  watch(first.data, answer => {
    rows.value = answer?.cases ?? []
    next.value = answer?.next
    moreFailed.value = false
  })
  watch(room.renewed, () => first.reload())
  // Many changes at once are one.
  let soon: ReturnType<typeof setTimeout> | undefined
  watch(room.caseChanged, () => {
    clearTimeout(soon)
    soon = setTimeout(() => first.reload(), 300)
  })
  onScopeDispose(() => clearTimeout(soon))

  async function more(): Promise<void> {
    const q = question()
    if (!q || !next.value || loadingMore.value) return
    const [mine, after] = [first.data.value, next.value]
    loadingMore.value = true
    moreFailed.value = false
    try {
      const answer = await page({ ...q, after })
      if (mine !== first.data.value) return
      const known = new Set(rows.value.map(r => r.ref))
      rows.value = [...rows.value, ...answer.cases.filter(r => !known.has(r.ref))]
      next.value = answer.next
    } catch {
      moreFailed.value = true
    } finally {
      loadingMore.value = false
    }
  }
  return { rows, next, loadingMore, moreFailed, more, first }
}
