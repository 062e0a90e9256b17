import { computed } from 'vue'
import { ask } from '../shared/api/client'
import { useResource } from '../shared/api/resource'
import type { Study } from './study'
import { useRenewed } from './told'

/** More than so many are not counted to the end. */
const most = 99

/** How many proposals wait for a decision, as it is written; null: none, or not known. */
export function useOpenCount(study: Study) {
  const { center } = study
  const open = useResource(
    () => (center.can('screening.view') ? center.code : null),
    (_, signal) => ask(center.client.GET('/proposals', { params: { query: { state: 'open', limit: most } }, signal })),
  )
  useRenewed(study, open)
  return computed(() => {
    const page = open.data.value
    if (!page || page.proposals.length === 0) return null
    const n = center.fmt.value.count(page.proposals.length)
    return page.next === undefined ? n : `${n}+`
  })
}
