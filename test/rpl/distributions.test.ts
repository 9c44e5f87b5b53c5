import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { normalCdf, studentCdf, studentQuantile } from '../../src/rpl/distributions.js';

const distributions = suite('rpl distributions');

const near = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} within ${tolerance}`);

distributions('normal distribution function at tabulated points', () => {
  near(normalCdf(0), 0.5, 0);
  near(normalCdf(1.959963984540054), 0.975, 1e-14);
  near(normalCdf(-2.5758293035489004), 0.005, 1e-14);
  near(normalCdf(-3), 0.0013498980316300933, 1e-14);
});

distributions('upper 2.5 % points of Student t at tabulated degrees of freedom', () => {
  const table = [
    [1, 12.706204736432095],
    [2, 4.302652729911275],
    [3, 3.182446305284263],
    [4, 2.7764451051977987],
    [7, 2.364624251592784],
    [11, 2.200985160082949],
    [15, 2.131449545559323],
    [30, 2.0422724563012373],
  ] as const;
  for (const [degreesOfFreedom, quantile] of table)
    near(studentQuantile(0.975, degreesOfFreedom), quantile, 1e-9);
});

distributions('the quantile inverts the distribution function', () => {
  for (let degreesOfFreedom = 1; degreesOfFreedom <= 63; degreesOfFreedom += 1) {
    for (const probability of [0.5, 0.75, 0.9, 0.975, 0.999]) {
      near(studentCdf(studentQuantile(probability, degreesOfFreedom), degreesOfFreedom), probability, 1e-12);
    }
  }
});

distributions.run();
