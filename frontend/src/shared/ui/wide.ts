import { onScopeDispose, type Ref, ref } from 'vue'

/** Whether the window is wider than a phone's or a tablet's. */
export function useWide(): Readonly<Ref<boolean>> {
  const media = matchMedia('(min-width: 1024px)')
  const wide = ref(media.matches)
  const measure = () => {
    wide.value = media.matches
  }
  media.addEventListener('change', measure)
  onScopeDispose(() => media.removeEventListener('change', measure))
  return wide
}
