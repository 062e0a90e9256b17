/** Where a voice note is to be heard. */
export const voiceAt = (code: string, id: string): string => `/${code}/v1/voices/${id}/sound`

/** Seconds as a clock shows them. */
export function clock(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`
}
