package duckdb_test

func runChild() bool { return false }
