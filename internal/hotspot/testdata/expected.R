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
