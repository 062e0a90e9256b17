import { onScopeDispose, type Ref, watch } from 'vue'

/**
 * Looks at what changed so that no older answer lands over a newer one: one look at a time, and none while everything is asked for
 * anew (`loading`), which waits until that has come. What is to be asked for anew meanwhile is, once it came: it is not begun
 * again and again.
 */
export function useLooks(
  loading: Readonly<Ref<boolean>>,
  look: (nums: number[]) => Promise<void>,
  anew: () => void,
): { add: (nums: readonly number[]) => void; again: () => void } {
  const waiting = new Set<number>()
  let [looking, late, ended] = [false, false, false]
  async function run() {
    if (looking) return
    looking = true
    try {
      while (waiting.size > 0 && !loading.value && !ended) {
        const nums = [...waiting]
        waiting.clear()
        await look(nums)
      }
    } finally {
      looking = false
    }
  }
  watch(loading, on => {
    if (on) return
    if (late) {
      late = false
      anew()
    } else void run()
  })
  onScopeDispose(() => {
    ended = true
  })
  return {
    add(nums) {
      for (const n of nums) waiting.add(n)
      void run()
    },
    again() {
      if (loading.value) late = true
      else anew()
    },
  }
}
