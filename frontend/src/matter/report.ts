import { computed, type Ref } from 'vue'
import { ask } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { CaseDetail, JurisdictionRef } from '../shared/api/types'
import type { Point } from '../shared/map/geo'
import type { Room } from './room'

/** The report that a case came of, never that of the case before; where it lies, and the smallest area that it was placed in. */
export function useReport(room: Room, detail: Readonly<Ref<CaseDetail | undefined>>) {
  const report = useResource(
    () => (detail.value ? String(detail.value.num) : null),
    (id, signal) => ask(room.client.GET('/reports/{id}', { params: { path: { id } }, signal })),
  )
  const r = computed(() => (report.data.value?.num === detail.value?.num ? report.data.value : undefined))
  const place = computed<Point | null>(() =>
    r.value?.lon !== undefined && r.value.lat !== undefined ? { lon: r.value.lon, lat: r.value.lat } : null,
  )
  const area = computed<JurisdictionRef | null>(() => {
    const p = r.value?.placement
    return p?.grid ?? p?.village ?? p?.town ?? null
  })
  return { report, r, place, area }
}
