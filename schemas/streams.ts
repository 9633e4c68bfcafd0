/**
 * Stream names. A batch's whole history is a handful of streams with contiguous revisions.
 * The category is the text before the first `-`; bulk categories hold sensor data.
 */
export const streams = {
  batch: (batchId: string) => `batch-${batchId}`,
  reading: (batchId: string) => `reading-${batchId}`,
  /** Readings of a vessel outside any batch, one stream a UTC day of their source time. */
  idleReading: (vessel: string, day: string) => `reading-${vessel}-idle-${day.replaceAll('-', '')}`,
  /** Forecasts issued, withheld and scored. */
  forecast: (batchId: string) => `forecast-${batchId}`,
  /** Process values derived window by window. */
  derived: (batchId: string) => `derived-${batchId}`,
  model: (modelId: string) => `model-${modelId}`,
  ledgerHeads: 'ledger-heads',
  ledgerKeys: 'ledger-keys',
  ledgerTimeStamps: 'ledger-timestamps',
  ledgerExtracts: 'ledger-extracts',
  ledgerFindings: 'ledger-findings',
  vessel: (vessel: string) => `vessel-${vessel}`,
  campaign: (campaign: string) => `campaign-${campaign}`,
  /** Messages whose vessel is unknown share this stream. */
  quarantine: 'quarantine',
  config: 'config',
} as const

export function categoryOf(stream: string): string {
  const dash = stream.indexOf('-')
  return dash < 0 ? stream : stream.slice(0, dash)
}

/** Vessel ids stand in topics and stream names, so they carry no separator of either but the hyphen. */
export const vesselIdPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$/
