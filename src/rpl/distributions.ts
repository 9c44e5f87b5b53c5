/** Student's t and the normal distribution, as far as the estimators need them. */

/**
 * Distribution function of the standard normal (Abramowitz and Stegun 26.2.11).
 * Absolute error below 1e-14 for |z| <= 6, which holds every level in use.
 */
export function normalCdf(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; Math.abs(term) > Number.EPSILON * Math.abs(sum); odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI);
}

/**
 * Distribution function of Student's t for whole degrees of freedom, by the finite sums of Abramowitz and
 * Stegun 26.7.3 and 26.7.4.
 */
export function studentCdf(t: number, degreesOfFreedom: number): number {
  const angle = Math.atan(t / Math.sqrt(degreesOfFreedom));
  const cosineSquared = Math.cos(angle) ** 2;
  const odd = degreesOfFreedom % 2 === 1;
  let term = odd ? Math.cos(angle) : 1;
  let sum = degreesOfFreedom === 1 ? 0 : term;
  for (let power = odd ? 3 : 2; power <= degreesOfFreedom - 2; power += 2) {
    term *= ((power - 1) / power) * cosineSquared;
    sum += term;
  }
  const between = Math.sin(angle) * sum;
  const central = odd ? (2 / Math.PI) * (angle + between) : between;
  return 0.5 + central / 2;
}

/**
 * Upper quantile of Student's t by bisection.
 * @param probability in [0.5, 1).
 * @param degreesOfFreedom a whole number, at least 1.
 */
export function studentQuantile(probability: number, degreesOfFreedom: number): number {
  let low = 0;
  let high = 1;
  while (studentCdf(high, degreesOfFreedom) < probability) high *= 2;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (studentCdf(middle, degreesOfFreedom) < probability) low = middle;
    else high = middle;
  }
}
