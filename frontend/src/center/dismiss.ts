import { onBeforeUnmount, onMounted, type Ref } from 'vue'
import { escapes } from '../shared/ui/keys'

/** Closes what is open over the page: by Escape, after which the focus goes back, or by a press outside of it. */
export function useDismiss(
  root: Ref<HTMLElement | undefined>,
  isOpen: () => boolean,
  close: (byKey: boolean) => void,
): void {
  // Escape closes one thing at a time; the page's own handler must not close another.
  function pressed(e: KeyboardEvent) {
    if (isOpen() && e.key === 'Escape') escapes(e, () => close(true))
  }
  function pointed(e: PointerEvent) {
    if (isOpen() && e.target instanceof Node && !root.value?.contains(e.target)) close(false)
  }
  onMounted(() => {
    document.addEventListener('keydown', pressed, true)
    document.addEventListener('pointerdown', pointed, true)
  })
  onBeforeUnmount(() => {
    document.removeEventListener('keydown', pressed, true)
    document.removeEventListener('pointerdown', pointed, true)
  })
}
