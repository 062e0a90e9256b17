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
