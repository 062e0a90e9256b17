import { ref } from 'vue'

/** A new version of the app waits to take over. */
export const updated = ref(false)
/** The app's files are on the phone. */
export const installed = ref(false)

let waiting: ServiceWorker | null = null

/** Puts the app's files on the phone, and looks for newer ones whenever the app is opened. */
export function installWorker(script = 'worker.js', scope = './'): void {
  const { serviceWorker } = navigator
  if (!serviceWorker || import.meta.env.DEV) return
  installed.value = serviceWorker.controller !== null
  void serviceWorker.register(script, { scope }).then(registration => {
    const watch = (worker: ServiceWorker | null) => {
      if (!worker) return
      const look = () => {
        if (worker.state === 'activated') installed.value = true
        if (worker.state !== 'installed' || !serviceWorker.controller) return
        waiting = worker
        updated.value = true
      }
      worker.addEventListener('statechange', look)
      look()
    }
    if (registration.active) installed.value = true
    watch(registration.waiting)
    watch(registration.installing)
    registration.addEventListener('updatefound', () => watch(registration.installing))
  })
}

/** Opens the new version. Whatever is being written is kept as a draft, at each step. */
export function takeOver(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  waiting?.postMessage({ act: 'take-over' })
}
