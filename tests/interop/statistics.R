# Compares the statistics of studies with R's, on the values in a folder of tables.
suppressPackageStartupMessages(library(survival))

folder <- commandArgs(trailingOnly = TRUE)[1]
read <- function(name) read.csv(file.path(folder, name))
checked <- wrong <- list()

# Both none, or equal but for a relative error.
near <- function(kind, what, got, expected, tolerance = 1e-10) {
  checked[[kind]] <<- sum(checked[[kind]], length(got))
  same <- ifelse(is.na(got) | is.na(expected), is.na(got) & is.na(expected),
                 abs(got - expected) <= tolerance * pmax(abs(expected), 1e-12))
  wrong[[kind]] <<- sum(wrong[[kind]], !same)
  for (place in which(!same)) {
    cat(" ", kind, what, "place", place, ":", format(got[place], digits = 16), "and not",
        format(expected[place], digits = 16), "\n")
  }
}

subjects <- read("subjects.csv")
points <- read("points.csv")
medians <- read("medians.csv")
for (case in unique(subjects$case)) {
  of <- subjects[subjects$case == case, ]
  sections <- length(unique(of$section))
  for (confidence in unique(points$confidence)) {
    what <- paste("case", case, "at", confidence)
    ours <- points[points$case == case & points$confidence == confidence, ]
    plain <- survfit(Surv(time, event) ~ 1, of, conf.type = "log-log", conf.int = confidence)
    stopifnot(identical(as.numeric(ours$time), as.numeric(plain$time)))
    near("greenwood", paste(what, "survival"), ours$survival, plain$surv)
    # Where there was no event yet, and where all had one, R has no limits of its own.
    inner <- plain$surv > 0 & plain$surv < 1
    near("greenwood", paste(what, "lower"), ours$lower[inner], plain$lower[inner])
    near("greenwood", paste(what, "upper"), ours$upper[inner], plain$upper[inner])

    robust <- survfit(Surv(time, event) ~ 1, of, cluster = section, conf.type = "log-log",
                      conf.int = confidence)
    error <- if (robust$logse) robust$std.err * robust$surv else robust$std.err
    near("clustered", paste(what, "error"), ours$robust[inner], error[inner])
    if (sections > 1) {
      # G/(G - 1) and Student's t, for few sections.
      t <- qt((1 + confidence) / 2, sections - 1) * sqrt(sections / (sections - 1))
      width <- t * error / robust$surv / log(robust$surv)
      lower <- exp(-exp(log(-log(robust$surv)) - width))
      upper <- exp(-exp(log(-log(robust$surv)) + width))
      near("clustered", paste(what, "lower"), ours$robust_lower[inner], lower[inner])
      near("clustered", paste(what, "upper"), ours$robust_upper[inner], upper[inner])
    }

    for (q in unique(medians$q)) {
      mine <- medians[medians$case == case & medians$confidence == confidence & medians$q == q, ]
      theirs <- quantile(plain, q)
      # Where the curve is at 1 - q for a while, R takes the middle of that while.
      flat <- any(abs(plain$surv - (1 - q)) < 1e-9)
      if (!flat) near("median", paste(what, q), mine$estimate, unname(theirs$quantile))
      near("median", paste(what, q, "lower"), mine$lower, unname(theirs$lower))
      near("median", paste(what, q, "upper"), mine$upper, unname(theirs$upper))
    }
  }
}

adjusted <- read("holm.csv")
for (case in unique(adjusted$case)) {
  of <- adjusted[adjusted$case == case, ]
  near("holm", paste("case", case), of$adjusted, p.adjust(of$p, "holm"))
}

values <- read("values.csv")
results <- read("results.csv")
for (row in seq_len(nrow(results))) {
  result <- results[row, ]
  of <- values$value[values$case == result$case]
  what <- paste("case", result$case, "at", result$confidence)
  if (result$kind == "mean") {
    test <- t.test(of, conf.level = result$confidence)
    expected <- c(test$estimate, test$conf.int)
    near("mean", what, c(result$estimate, result$lower, result$upper), unname(expected))
  } else {
    half <- (1 - result$confidence) / 2
    ranks <- c(qbinom(half, length(of), result$q),
               qbinom(half, length(of), result$q, lower.tail = FALSE) + 1)
    limits <- sort(of)[ifelse(ranks < 1 | ranks > length(of), NA, ranks)]
    expected <- c(unname(quantile(of, result$q)), limits)
    near("quantile", what, c(result$estimate, result$lower, result$upper), expected)
  }
}

for (kind in names(checked)) cat(kind, checked[[kind]], wrong[[kind]], "\n")
quit(status = as.integer(sum(unlist(wrong)) > 0))
