import { computed, type Ref } from 'vue'
import { type Resource, useResource } from '../shared/api/resource'

/**
 * What is told of the case that is open. What was told of the one before is never given for it: acts take their targets from
 * here, while the next case's answer is still under way or did not come at all.
 */
export function useAbout<T>(
  open: () => string | null,
  load: (ref: string, signal: AbortSignal) => Promise<T>,
): Omit<Resource<T>, 'stale'> {
  const told = useResource(open, async (ref: string, signal) => ({ ref, is: await load(ref, signal) }))
  const data: Readonly<Ref<T | undefined>> = computed(() =>
    told.data.value?.ref === open() ? told.data.value?.is : undefined,
  )
  return { data, loading: told.loading, error: told.error, reload: told.reload, drop: told.drop }
}
