import type { LayerSpecification, Map as LibreMap } from 'maplibre-gl'

/** Changes the map's layers from old to next, which have the same order: only what differs is set. */
export function restyle(map: LibreMap, old: readonly LayerSpecification[], next: readonly LayerSpecification[]): void {
  next.forEach((layer, i) => {
    const was = old[i]
    if (was && was.id === layer.id) change(map, was, layer)
  })
}

function change(map: LibreMap, old: LayerSpecification, next: LayerSpecification): void {
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)
  for (const kind of ['paint', 'layout'] as const) {
    const [was, now] = [(old[kind] ?? {}) as Record<string, unknown>, (next[kind] ?? {}) as Record<string, unknown>]
    for (const name of new Set([...Object.keys(was), ...Object.keys(now)])) {
      if (!differs(was[name], now[name])) continue
      if (kind === 'paint') map.setPaintProperty(next.id, name as never, now[name] as never)
      else map.setLayoutProperty(next.id, name as never, now[name] as never)
    }
  }
  if ('filter' in next && differs('filter' in old ? old.filter : undefined, next.filter)) {
    map.setFilter(next.id, next.filter)
  }
}
