/**
 * Streams that the adapter keeps for itself, outside the product's categories: the store's identity, and ticks
 * that show that the server's clock went on. No reader of the port ever sees them.
 */
export const identityStream = 'store-identity'
export const tickStream = 'store-tick'

export const isOwnStream = (stream: string): boolean => stream === identityStream || stream === tickStream

/** Streams of the server itself (metadata, statistics, projections). */
export const isSystemStream = (stream: string): boolean => stream.startsWith('$')
