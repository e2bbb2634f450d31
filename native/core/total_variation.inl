// Rows of the dual iteration for total variation: kLanes complex samples at a time, the column at the edge by itself.

void tv_primal_row(size_t n, const c32* x, const c32* vertical, const c32* below, const c32* horizontal, c32* row) {
  size_t i = 0;
  for (; i + kHalf < n; i += kHalf)
    store(row + i, load(x + i) - (load(vertical + i) - load(below + i)) - (load(horizontal + i) - load(horizontal + i + 1)));
  for (; i < n; ++i) {
    const c32 right = horizontal[i + 1 < n ? i + 1 : 0];
    row[i] = {x[i].re - (vertical[i].re - below[i].re) - (horizontal[i].re - right.re),
              x[i].im - (vertical[i].im - below[i].im) - (horizontal[i].im - right.im)};
  }
}

/// A component of the dual: where the gradient is taken, the dual itself, where the gradient is taken next.
struct TvComponent {
  const c32* point;
  c32 *dual, *next;
};

/// kHalf samples of point + rate difference.
inline wide tv_ascend(const TvStep& step, const TvComponent& component, size_t i, wide difference) {
  return load(component.point + i) + step.rate * difference;
}

inline void tv_store(const TvStep& step, const TvComponent& component, size_t i, wide projected) {
  store(component.next + i, projected + step.momentum * (projected - load(component.dual + i)));
  store(component.dual + i, projected);
}

inline c32 tv_ascend(const TvStep& step, const TvComponent& component, size_t i, c32 to, c32 from) {
  const c32 point = component.point[i];
  return {point.re + step.rate * (to.re - from.re), point.im + step.rate * (to.im - from.im)};
}

inline void tv_store(const TvStep& step, const TvComponent& component, size_t i, c32 projected) {
  const c32 before = component.dual[i];
  component.next[i] = {projected.re + step.momentum * (projected.re - before.re), projected.im + step.momentum * (projected.im - before.im)};
  component.dual[i] = projected;
}

void tv_dual_row(size_t n, const TvStep& step, const c32* above, const c32* row, const c32* vertical_point, const c32* horizontal_point, c32* vertical_dual,
                 c32* horizontal_dual, c32* vertical_next, c32* horizontal_next) {
  const TvComponent vertical{vertical_point, vertical_dual, vertical_next}, horizontal{horizontal_point, horizontal_dual, horizontal_next};
  const auto sample = [&](size_t i) {
    const c32 v = tv_ascend(step, vertical, i, row[i], above[i]), h = tv_ascend(step, horizontal, i, row[i], row[(i > 0 ? i : n) - 1]);
    const float size = __builtin_sqrtf(v.re * v.re + v.im * v.im + h.re * h.re + h.im * h.im);
    const float factor = step.radius / (size > step.radius ? size : step.radius);
    tv_store(step, vertical, i, c32{factor * v.re, factor * v.im});
    tv_store(step, horizontal, i, c32{factor * h.re, factor * h.im});
  };
  sample(0);
  size_t i = 1;
  const wide radius = broadcast(step.radius);
  for (; i + kLanes <= n; i += kLanes) {
    wide v[2], h[2], squares[2];
    for (size_t half = 0; half < 2; ++half) {
      const size_t at = i + half * kHalf;
      const wide here = load(row + at);
      v[half] = tv_ascend(step, vertical, at, here - load(above + at));
      h[half] = tv_ascend(step, horizontal, at, here - load(row + at - 1));
      squares[half] = v[half] * v[half] + h[half] * h[half];
    }
    const wide size = square_root(shuffle<Even>(squares[0], squares[1]) + shuffle<Odd>(squares[0], squares[1]));
    const wide factor = radius / (size > radius ? size : radius);
    const wide factors[2] = {shuffle<ZipLow>(factor, factor), shuffle<ZipHigh>(factor, factor)};
    for (size_t half = 0; half < 2; ++half) {
      tv_store(step, vertical, i + half * kHalf, factors[half] * v[half]);
      tv_store(step, horizontal, i + half * kHalf, factors[half] * h[half]);
    }
  }
  for (; i < n; ++i) sample(i);
}
