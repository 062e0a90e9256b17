import { computed, shallowRef, type WritableComputedRef } from 'vue'

/**
 * A field that stands at what is proposed until somebody writes there. What was written stays, whatever is proposed later, for
 * as long as it is about the same.
 */
export function useFilled<T>(about: () => string, proposed: () => T): WritableComputedRef<T> {
  const written = shallowRef<{ about: string; value: T } | null>(null)
  return computed({
    get: () => (written.value?.about === about() ? written.value.value : proposed()),
    set: value => {
      written.value = { about: about(), value }
    },
  })
}
