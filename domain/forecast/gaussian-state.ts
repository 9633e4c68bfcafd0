/**
 * A Gaussian belief over a handful of unknowns: means and covariance, moved by a linearised step and corrected by
 * one scalar measurement at a time (extended Kalman filter; R. E. Kalman 1960, sequential update).
 * Row-major covariance; plain loops, no allocation per step but the gain.
 */
export type Sensitivity = readonly (readonly [index: number, value: number])[]

export type GaussianState = {
  readonly mean: Float64Array
  readonly covariance: Float64Array
  /** x_i += Σ values; the rows given replace rows of the identity in the transition matrix. */
  readonly move: (rows: readonly { readonly index: number; readonly row: Sensitivity }[]) => void
  readonly addVariance: (index: number, variance: number) => void
  /** Normalised innovation (standard deviations) before the update. An outlier moves the state by 4 at most. */
  readonly measure: (innovation: number, sensitivity: Sensitivity, variance: number) => number
  readonly sd: (index: number) => number
  /** Standard deviation of a linear combination. */
  readonly sdOf: (sensitivity: Sensitivity) => number
}

const outlier = 4

export function gaussianState(
  mean: readonly number[],
  covariance: readonly (readonly number[])[],
): GaussianState {
  const n = mean.length
  const x = Float64Array.from(mean)
  const p = Float64Array.from(covariance.flat())
  const gain = new Float64Array(n)
  const at = (row: number, column: number): number => p[row * n + column] ?? 0

  const project = (sensitivity: Sensitivity): number => {
    let variance = 0
    for (let row = 0; row < n; row++) {
      let sum = 0
      for (const [column, value] of sensitivity) sum += at(row, column) * value
      gain[row] = sum
    }
    for (const [column, value] of sensitivity) variance += value * (gain[column] ?? 0)
    return variance
  }

  return {
    mean: x,
    covariance: p,
    move: (rows) => {
      // F P Fᵀ where only some rows of F differ from the identity.
      const left = rows.map(({ row }) => {
        const line = new Float64Array(n)
        for (const [column, value] of row)
          for (let k = 0; k < n; k++) line[k] = (line[k] ?? 0) + value * at(column, k)
        return line
      })
      const among = rows.map((_, i) =>
        rows.map(({ row }) =>
          row.reduce((sum, [column, value]) => sum + value * (left[i]?.[column] ?? 0), 0),
        ),
      )
      rows.forEach(({ index }, i) => {
        const line = left[i]
        if (!line) return
        for (let k = 0; k < n; k++) {
          p[index * n + k] = line[k] ?? 0
          p[k * n + index] = line[k] ?? 0
        }
      })
      rows.forEach(({ index: a }, i) => {
        rows.forEach(({ index: b }, j) => {
          p[a * n + b] = among[i]?.[j] ?? 0
        })
      })
    },
    addVariance: (index, variance) => {
      p[index * n + index] = at(index, index) + variance
    },
    measure: (innovation, sensitivity, variance) => {
      const own = project(sensitivity)
      const normalised = innovation / Math.sqrt(own + variance)
      const far = Math.abs(normalised) > outlier
      const total = far ? (innovation / outlier) ** 2 : own + variance
      const step = innovation / total
      for (let row = 0; row < n; row++) x[row] = (x[row] ?? 0) + (gain[row] ?? 0) * step
      for (let row = 0; row < n; row++) {
        const share = (gain[row] ?? 0) / total
        if (share === 0) continue
        for (let column = 0; column <= row; column++) {
          const value = at(row, column) - share * (gain[column] ?? 0)
          p[row * n + column] = value
          p[column * n + row] = value
        }
      }
      return normalised
    },
    sd: (index) => Math.sqrt(Math.max(0, at(index, index))),
    sdOf: (sensitivity) => Math.sqrt(Math.max(0, project(sensitivity))),
  }
}
