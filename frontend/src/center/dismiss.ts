import { onBeforeUnmount, onMounted, type Ref } from 'vue'

/** Closes what is open over the page: by Escape, after which the focus goes back, or by a press outside of it. */
export function useDismiss(
  root: Ref<HTMLElement | undefined>,
  isOpen: () => boolean,
  close: (byKey: boolean) => void,
): void {
  function pressed(e: KeyboardEvent) {
    if (!isOpen() || e.key !== 'Escape' || e.isComposing) return
    // Escape closes one thing at a time; the page's own handler must not close another.
    e.preventDefault()
    e.stopPropagation()
    close(true)
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
