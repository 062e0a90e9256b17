import type { Tile } from './tiles'

const key = (source: string, t: Tile) => `${source}/${t.z}/${t.x}/${t.y}`

/**
 * Tiles that did not come are asked for again by themselves: the map does not do so (a tile that failed stays failed until
 * it leaves the view), and nobody else knows of them once a line works again. Waits longer after each vain attempt.
 */
export class MissingTiles {
  static readonly firstMs = 2000
  static readonly longestMs = 60_000

  private readonly missing = new Map<string, { source: string; tile: Tile }>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private waitMs = MissingTiles.firstMs

  /** Asks a source for tiles again; those that are no longer in view need not come. */
  constructor(private readonly again: (source: string, tiles: Tile[]) => void) {}

  /** A tile did not come. */
  lost(source: string, tile: Tile): void {
    this.missing.set(key(source, tile), { source, tile })
    this.timer ??= setTimeout(() => this.retry(), this.waitMs)
  }

  /** A tile came. */
  came(source: string, tile: Tile): void {
    this.missing.delete(key(source, tile))
    this.waitMs = MissingTiles.firstMs
  }

  /** All that was asked for has come, or is known to be missing. */
  get none(): boolean {
    return this.missing.size === 0
  }

  /** All tiles are asked for anew, or nobody looks any longer. */
  forget(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.missing.clear()
    this.waitMs = MissingTiles.firstMs
  }

  private retry(): void {
    this.timer = undefined
    this.waitMs = Math.min(2 * this.waitMs, MissingTiles.longestMs)
    const asked = new Map<string, Tile[]>()
    for (const { source, tile } of this.missing.values()) asked.set(source, [...(asked.get(source) ?? []), tile])
    this.missing.clear()
    for (const [source, tiles] of asked) this.again(source, tiles)
  }
}
