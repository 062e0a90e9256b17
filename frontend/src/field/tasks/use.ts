import { computed, ref, shallowRef, watch } from 'vue'
import type { CaseRow } from '../../shared/api/types'
import type { Point } from '../../shared/map/geo'
import type { Action } from '../../shared/session/roles'
import { useField } from '../app'
import { type Line, linesOf } from '../outbox/view'
import { actsOn, type PendingAct, tasksOf } from './tasks'

/** What there is to do, as the phone knows it. */
export function useTasks() {
  const field = useField()
  const here = ref<Point | null>(null)
  const lines = shallowRef<readonly Line[]>([])
  watch(
    field.turned,
    async () => {
      lines.value = field.store.value ? await linesOf(field.store.value) : []
    },
    { immediate: true },
  )
  const pending = computed<PendingAct[]>(() => {
    const at = field.pack.value.at ?? 0
    return lines.value
      .filter(l => l.kind === 'act')
      .filter(l => l.state === 'waiting' || l.state === 'sending' || (l.state === 'sent' && l.changedAt > at))
      .map(l => ({ id: l.id, ref: l.ref, act: l.act, sent: l.state === 'sent' }))
      .toReversed() // in the order in which it was done
  })
  const may = (a: Action) => field.pack.value.allowed.includes(a)
  const maySettle = (item: string) => field.pack.value.list?.list.items.find(i => i.code === item)?.may_settle ?? false
  const acts = (row: CaseRow) => actsOn(row, may, maySettle)
  const tasks = computed(() => tasksOf(field.pack.value.cases, pending.value, here.value, row => acts(row).length > 0))
  return { tasks, here, acts, pending, lines }
}
