/** What is kept on the phone is sealed with a key that no script can read out, as only this browser has it. */
export interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  data: ArrayBuffer
}

export const makeKey = (): Promise<CryptoKey> =>
  crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])

/** `about` is bound to what is sealed: the one cannot be taken for another. */
export async function seal(key: CryptoKey, bytes: BufferSource, about: string): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: words(about) }, key, bytes)
  return { iv, data }
}

/** Rejects where it was sealed with another key, about something else, or changed since. */
export const unseal = (key: CryptoKey, sealed: Sealed, about: string): Promise<ArrayBuffer> =>
  crypto.subtle.decrypt({ name: 'AES-GCM', iv: sealed.iv, additionalData: words(about) }, key, sealed.data)

export const sealJSON = (key: CryptoKey, value: unknown, about: string): Promise<Sealed> =>
  seal(key, words(JSON.stringify(value)), about)

export async function unsealJSON<T>(key: CryptoKey, sealed: Sealed, about: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await unseal(key, sealed, about))) as T
}

const words = (s: string) => new TextEncoder().encode(s)
