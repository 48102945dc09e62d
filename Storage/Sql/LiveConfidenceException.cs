namespace Sketch.Storage.Sql;

/// <summary>A statement asks for live values at a confidence that there is not; the message says which is allowed.</summary>
public sealed class LiveConfidenceException(string message) : Exception(message);
