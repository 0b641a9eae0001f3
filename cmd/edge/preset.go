package main

func validatePreset(string) error { return nil }
