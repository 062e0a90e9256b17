import { type Component, defineAsyncComponent, h, ref } from 'vue'
import LostPart from './LostPart.vue'

/** Stylesheets that did not come. What was built asks for each of them once, so that they are asked for again here. */
const missing = new Map<string, HTMLLinkElement>()
globalThis.document?.addEventListener(
  'error',
  e => {
    const link = e.target as HTMLLinkElement
    if (link.rel === 'stylesheet') missing.set(link.href, link)
  },
  true, // errors of files do not bubble
)
async function styles() {
  const again = [...missing.values()].map(
    link =>
      new Promise<void>((came, not) => {
        const next = link.cloneNode() as HTMLLinkElement
        next.addEventListener('load', () => {
          missing.delete(next.href)
          came()
        })
        next.addEventListener('error', () => not(new Error(`${next.href} did not load`)))
        document.head.append(next)
      }),
  )
  await Promise.all(again)
}

/** Why a part of the page is not there: its code did not come, or the page has to be loaded anew to have it. */
export type Lost = '' | 'line' | 'page'

/**
 * Code that comes when `code` is called first, and whoever awaits that waits until it is there. Where it did not come, as the
 * line is down or another version was installed meanwhile, `lost` says so and `ask` asks again.
 */
export function useCode<T>(load: () => Promise<T>) {
  const lost = ref<Lost>('')
  let came!: (code: T) => void
  const coming = new Promise<T>(done => {
    came = done
  })
  let asking = false
  async function ask() {
    if (asking) return
    asking = true
    try {
      await styles()
      came(await load())
      lost.value = ''
    } catch (e) {
      console.error(e)
      // Asked again in vain while the service is there: the file is gone, or the browser keeps what failed.
      lost.value = lost.value && (await served()) ? 'page' : 'line'
    } finally {
      asking = false
    }
  }
  function code() {
    void ask()
    return coming
  }
  return { code, lost, ask }
}

/** A part of the page that comes when it is needed; where it does not, a line stands in its place that asks for it again. */
export function lazy<T extends Component>(load: () => Promise<{ default: T }>) {
  const { code, lost, ask } = useCode(load)
  return defineAsyncComponent({
    loader: code,
    loadingComponent: () => (lost.value ? h(LostPart, { lost: lost.value, onAgain: ask }) : null),
    delay: 0,
  })
}

const served = () =>
  fetch(location.href, { method: 'HEAD', cache: 'no-store' }).then(
    answer => answer.ok,
    () => false,
  )
