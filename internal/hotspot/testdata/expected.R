# Values that the published files lack, by R 4.2 and its base packages: Rscript expected.R writes trend.json.
out <- list()
add <- function(name, x) {
  r <- cor.test(seq_along(x), x, method = "kendall", exact = FALSE, continuity = TRUE)
  s <- sum(sapply(seq_along(x), function(i) sum(sign(x[-(1:i)] - x[i]))))
  out[[name]] <<- sprintf('"%s":{"X":[%s],"S":%d,"P":%.15g}', name, paste(x, collapse = ","), as.integer(s), r$p.value)
}
add("rising", c(1, 3, 2, 5, 4, 7, 8, 6, 9, 11, 10, 12))
add("ties", c(2, 2, 3, 1, 4, 4, 4, 2, 5, 5, 6, 3, 7))
add("falling", c(9, 8, 8, 7, 5, 6, 4, 3, 3, 1))
add("none", c(5, 1, 4, 2, 6, 3, 5, 2, 4, 3))
set.seed(1)
add("long", rpois(120, 4))
cat("{", paste(unlist(out), collapse = ",\n"), "}\n", file = "trend.json")

# Daily counts with weekdays and a season, by MASS::glm.nb: baseline.json.
library(MASS)
set.seed(2)
day <- as.Date("2024-01-03") + 0:799
turn <- 2 * pi * (as.POSIXlt(day)$yday) / 365.25
wd <- factor((as.POSIXlt(day)$wday + 6) %% 7)
mu <- exp(1 + c(0, .1, .2, 0, .3, -.5, -.8)[as.integer(wd)] + .4 * sin(turn) - .2 * cos(2 * turn))
y <- rnbinom(length(day), size = 3, mu = mu)
f <- glm.nb(y ~ wd + sin(turn) + cos(turn) + sin(2 * turn) + cos(2 * turn), control = glm.control(epsilon = 1e-14, maxit = 200))
cat(sprintf('{"From":"2024-01-03","Counts":[%s],"Coefficients":[%s],"Theta":%.15g,"Above":[%s]}\n', paste(y, collapse = ","),
  paste(sprintf("%.15g", coef(f)), collapse = ","), f$theta,
  paste(sprintf("[%d,%g,%g,%.15g]", c(0, 1, 3, 9, 30), c(2, .5, 2, 3.5, 4), c(3, 1, .5, 3, 2), pnbinom(c(0, 1, 3, 9, 30) - 1, size = c(3, 1, .5, 3, 2), mu = c(2, .5, 2, 3.5, 4), lower.tail = FALSE)), collapse = ",")),
  file = "baseline.json")

# What an order changed, from the model's sentences and not by recurrence: effect.json. Chances by dbinom, lbeta and dnbinom, the mean over
# the grids alike by integrate, the ends by uniroot.
tail <- function(after, theta, c) {
  n <- c$Chosen + c$Waited + c$After
  w <- c$ChosenDays / (c$ChosenDays + c$WaitedDays)
  p <- theta / (1 + theta)
  over <- c$Dispersion - 1
  a <- 0:n
  if (over == 0) {
    d <- dbinom(a, n, p)
    if (c$Least > 0) d <- d * pbinom(c$Least - 1, n - a, w, lower.tail = FALSE)
  } else {
    m <- n
    if (c$Least > 0) m <- uniroot(function(m) {
      mean <- m * (1 - p) * w
      k <- c$Least:3000
      f <- dnbinom(k, size = mean / over, prob = 1 / c$Dispersion)
      m - mean + sum(k * f) / sum(f) - n
    }, c(0.001 * n, n), tol = 1e-12)$root
    bb <- function(k, n, r, s) exp(lchoose(n, k) + lbeta(k + r, n - k + s) - lbeta(r, s))
    r <- m / over * p
    s <- m / over * (1 - p)
    d <- bb(a, n, r, s)
    if (c$Least > 0) d <- d * sapply(n - a, function(b)
      if (b < c$Least) 0 else if (w == 1) 1 else sum(bb(c$Least:b, b, s * w, s * (1 - w))))
  }
  (sum(d[a < after]) + sum(d[a == after]) / 2) / sum(d)
}
averaged <- function(rho, c) {
  b <- c$AlikeBefore + .5
  a <- c$AlikeAfter + .5
  sd <- sqrt(c$Dispersion * (1 / a + 1 / b))
  integrate(function(z) sapply(z, function(z) dnorm(z) * tail(c$After, rho * a / b * exp(sd * z), c)), -8, 8, rel.tol = 1e-9)$value
}
cases <- list(
  c(40, 28, 0, 0, 0, 30, 56, 4e8, 8e8, 1), c(40, 28, 0, 0, 0, 30, 56, 400, 700, 1), c(25, 28, 20, 0, 0, 30, 56, 400, 700, 1),
  c(25, 28, 15, 9, 14, 22, 40, 300, 310, 1), c(60, 28, 40, 20, 20, 35, 56, 900, 1100, 1), c(30, 28, 0, 10, 10, 25, 56, 200, 260, 1.5),
  c(45, 28, 25, 0, 0, 30, 56, 500, 800, 1.3), c(45, 28, 25, 18, 14, 70, 56, 500, 700, 1.4), c(21, 28, 20, 4, 7, 3, 60, 150, 400, 1.8))
names <- c("Chosen", "ChosenDays", "Least", "Waited", "WaitedDays", "After", "AfterDays", "AlikeBefore", "AlikeAfter", "Dispersion")
lines <- sapply(cases, function(v) {
  c <- as.list(setNames(v, names))
  fields <- paste(sprintf('"%s":%.15g', names, v), collapse = ",")
  end <- function(chance) { # none within a factor of 400: 0
    f <- function(x) averaged(exp(x), c) - chance
    if (f(-6) * f(6) > 0) 0 else exp(uniroot(f, c(-6, 6), tol = 1e-11)$root)
  }
  sprintf('{"Given":{%s},"Low":%.12g,"Ratio":%.12g,"High":%.12g}', fields, end(.975), end(.5), end(.025))
})
cat("[", paste(lines, collapse = ",\n"), "]\n", file = "effect.json")
