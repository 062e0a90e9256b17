import { type Ref, shallowRef, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { formatView, parseView, type View } from './view'

/**
 * The view, kept in the URL. What a person chooses becomes a step of the history; where the map stands only replaces the
 * present step, so that Back undoes choices and not every move of the hand.
 */
export function useView(): {
  view: Readonly<Ref<View>>
  change: (part: Partial<View>, step?: boolean) => void
  /** Called when Back or Forward brought another view. */
  onTravel: (listener: (view: View) => void) => void
  /** The address said nothing when the page opened. */
  fresh: boolean
} {
  const route = useRoute()
  const router = useRouter()
  const view = shallowRef(parseView(route.query))
  const fresh = Object.keys(route.query).length === 0
  const travellers: ((view: View) => void)[] = []
  let step = false
  let writing = 0

  async function write() {
    const query = formatView(view.value)
    const push = step
    step = false
    try {
      await router[push ? 'push' : 'replace']({ query })
    } finally {
      writing--
    }
  }

  function change(part: Partial<View>, asStep = true) {
    const next = { ...view.value, ...part }
    if (JSON.stringify(next) === JSON.stringify(view.value)) return
    view.value = next
    step ||= asStep
    if (writing > 0) {
      // A navigation is under way or about to be: this change goes out after it.
      late = true
      return
    }
    writing++
    queueMicrotask(() => void write().then(flushLate))
  }

  let late = false
  function flushLate() {
    if (!late) return
    late = false
    writing++
    void write().then(flushLate)
  }

  watch(
    () => route.query,
    query => {
      if (writing > 0) return
      const next = parseView(query)
      if (JSON.stringify(next) === JSON.stringify(view.value)) return
      view.value = next
      for (const tell of travellers) tell(next)
    },
  )

  return { view, change, onTravel: listener => void travellers.push(listener), fresh }
}
