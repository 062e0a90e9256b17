import { onScopeDispose, type Ref, ref } from 'vue'

/** Whether the window is wider than a phone's or a tablet's; that paper is not so is no matter. */
export function useWide(): Readonly<Ref<boolean>> {
  const media = matchMedia('(min-width: 1024px)')
  const paper = matchMedia('print')
  const wide = ref(media.matches)
  const measure = () => {
    if (!paper.matches) wide.value = media.matches
  }
  media.addEventListener('change', measure)
  onScopeDispose(() => media.removeEventListener('change', measure))
  return wide
}
