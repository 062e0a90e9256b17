import { onScopeDispose, ref, watch } from 'vue'

/** So long may one speak; the service takes no longer. */
export const maxMs = 60_000
/** Less is a finger that slipped. */
const leastMs = 700
const bitsPerSecond = 32_000
/** What the service takes, the best first. */
const types = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4;codecs=mp4a.40.2', 'audio/mp4']

/** Of what a recording is made on this phone; none: it cannot record. */
export function recordedAs(): string | undefined {
  if (typeof MediaRecorder === 'undefined' || !navigator.mediaDevices?.getUserMedia) return undefined
  return types.find(t => MediaRecorder.isTypeSupported(t))
}

export interface Spoken {
  file: Blob
  type: string
  ms: number
}
/** Why nothing was recorded: no permission, no microphone, too short, or it broke off. */
export type Trouble = '' | 'denied' | 'none' | 'short' | 'failed'

/**
 * The microphone, as long as somebody speaks into it. It ends with the limit, when the page is hidden or left, and when another takes it
 * away; what was said until then is handed on. The microphone is let go of at that moment.
 */
export function useRecorder(done: (spoken: Spoken) => Promise<void>) {
  const state = ref<'idle' | 'asking' | 'recording' | 'keeping'>('idle')
  const trouble = ref<Trouble>('')
  const ms = ref(0)
  let recorder: MediaRecorder | null = null
  let stream: MediaStream | null = null
  /** Who asked for the microphone may have gone before it is there. */
  let wanted = false

  async function start(): Promise<void> {
    const type = recordedAs()
    if (state.value !== 'idle' || !type) return
    trouble.value = ''
    ms.value = 0
    wanted = true
    state.value = 'asking'
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } })
    } catch (e) {
      const name = e instanceof DOMException ? e.name : ''
      trouble.value =
        name === 'NotAllowedError' || name === 'SecurityError' ? 'denied' : name === 'NotFoundError' ? 'none' : 'failed'
      state.value = 'idle'
      return
    }
    if (!wanted) return end()
    try {
      record(stream, type)
    } catch {
      trouble.value = 'failed'
      end()
    }
  }

  function record(from: MediaStream, type: string): void {
    const parts: Blob[] = []
    const r = new MediaRecorder(from, { mimeType: type, audioBitsPerSecond: bitsPerSecond })
    let begun = performance.now()
    const tick = setInterval(() => {
      ms.value = Math.min(maxMs, performance.now() - begun)
      if (ms.value >= maxMs) stop()
    }, 200)
    r.onstart = () => {
      begun = performance.now()
    }
    r.ondataavailable = e => {
      if (e.data.size > 0) parts.push(e.data)
    }
    r.onerror = () => {
      trouble.value = 'failed'
      stop()
    }
    r.onstop = () => {
      clearInterval(tick)
      ms.value = Math.min(maxMs, performance.now() - begun)
      state.value = 'keeping'
      letGo()
      void hand({ file: new Blob(parts, { type }), type: type.split(';')[0]!, ms: Math.round(ms.value) })
    }
    // Another app took the microphone, or a headset was pulled.
    for (const track of from.getAudioTracks()) track.onended = stop
    recorder = r
    r.start(1000)
    state.value = 'recording'
  }

  /** Whoever waits for the end. */
  let ended: (() => void)[] = []
  watch(
    state,
    s => {
      if (s !== 'idle') return
      for (const go of ended) go()
      ended = []
    },
    { flush: 'sync' },
  )
  /** Ends it, and resolves once what was said is handed on. A question that nobody answers is not waited for. */
  function finish(): Promise<void> {
    stop()
    return state.value === 'idle' || state.value === 'asking'
      ? Promise.resolve()
      : new Promise(done => ended.push(done))
  }

  async function hand(spoken: Spoken): Promise<void> {
    try {
      if (spoken.ms < leastMs || spoken.file.size === 0) trouble.value ||= 'short'
      else await done(spoken)
    } catch {
      trouble.value = 'failed'
    } finally {
      state.value = 'idle'
    }
  }

  function stop(): void {
    wanted = false
    if (recorder?.state === 'recording') recorder.stop()
  }

  function letGo(): void {
    for (const track of stream?.getTracks() ?? []) track.stop()
    stream = null
    recorder = null
  }
  function end(): void {
    letGo()
    state.value = 'idle'
  }

  const hidden = () => {
    if (document.visibilityState === 'hidden') stop()
  }
  document.addEventListener('visibilitychange', hidden)
  globalThis.addEventListener('pagehide', stop)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', hidden)
    globalThis.removeEventListener('pagehide', stop)
    stop()
  })

  return { state, trouble, ms, start, stop, finish }
}
