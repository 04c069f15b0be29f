static inline double fmin(double a, double b) { return a < b ? a : b; }
