import { exifOf, upright, withExif } from './exif'

/** The longer side of what is sent, in pixels: what the service shows at most. */
const edge = 1600
const quality = 0.82
/** Up to here a picture that is small enough is sent as it is. */
const smallBytes = 400_000

export interface Small {
  file: Blob
  type: string
  /** SHA-256 of the picture as it was taken, in hex. */
  original: string
}

/**
 * Makes a picture small enough for a thin line, upright, with where and when the camera took it. What this browser cannot draw (HEIC in
 * most) is sent as it is: the service can. Rejects where it is no picture.
 */
export async function shrink(file: Blob): Promise<Small> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const original = hex(await crypto.subtle.digest('SHA-256', bytes))
  let picture: ImageBitmap
  try {
    picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch (e) {
    if (isHeic(bytes)) return { file, type: 'image/heic', original }
    throw e
  }
  try {
    const scale = Math.min(1, edge / Math.max(picture.width, picture.height))
    if (scale === 1 && file.size <= smallBytes && isJpeg(bytes)) return { file, type: 'image/jpeg', original }
    const drawn = new Uint8Array(await (await draw(picture, scale)).arrayBuffer())
    const exif = exifOf(bytes)
    const out = exif ? withExif(drawn, upright(exif)) : drawn
    return { file: new Blob([out], { type: 'image/jpeg' }), type: 'image/jpeg', original }
  } finally {
    picture.close()
  }
}

async function draw(picture: ImageBitmap, scale: number): Promise<Blob> {
  const width = Math.max(1, Math.round(picture.width * scale))
  const height = Math.max(1, Math.round(picture.height * scale))
  const canvas = canvasOf(width, height)
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D | null
  if (!context) throw new Error('no canvas')
  context.fillStyle = '#fff' // what was transparent
  context.fillRect(0, 0, width, height)
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, 0, 0, width, height)
  if (!(canvas instanceof HTMLCanvasElement)) return canvas.convertToBlob({ type: 'image/jpeg', quality })
  return new Promise((done, fail) =>
    canvas.toBlob(b => (b ? done(b) : fail(new Error('no picture'))), 'image/jpeg', quality),
  )
}

/** Browsers of old phones have no canvas but those of the page. */
function canvasOf(width: number, height: number): OffscreenCanvas | HTMLCanvasElement {
  if (typeof OffscreenCanvas !== 'undefined') return new OffscreenCanvas(width, height)
  return Object.assign(document.createElement('canvas'), { width, height })
}

const isJpeg = (b: Uint8Array) => b[0] === 0xff && b[1] === 0xd8
/** "ftyp" and one of the brands of HEIF. */
const isHeic = (b: Uint8Array) => /^ftyp(hei[cxms]|hev[cxm]|mif1|msf1)/.test(String.fromCharCode(...b.subarray(4, 12)))

const hex = (b: ArrayBuffer) => [...new Uint8Array(b)].map(v => v.toString(16).padStart(2, '0')).join('')
