import { onBeforeUnmount, onMounted, type Ref } from 'vue'

/** Closes what is open over the page: by Escape, or by a press outside of it. */
export function useDismiss(root: Ref<HTMLElement | undefined>, open: Ref<boolean>, close: () => void): void {
  function pressed(e: KeyboardEvent) {
    if (!open.value || e.key !== 'Escape' || e.isComposing) return
    // Escape closes one thing at a time; the page's own handler must not close another.
    e.preventDefault()
    e.stopPropagation()
    close()
  }
  function pointed(e: PointerEvent) {
    if (open.value && e.target instanceof Node && !root.value?.contains(e.target)) open.value = false
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
