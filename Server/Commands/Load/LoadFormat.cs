namespace Sketch.Server.Commands.Load;

/// <summary>What a file holds.</summary>
internal enum LoadFormat
{
    /// <summary>Text: every word or line is an increment of the counter with this name.</summary>
    Text,

    /// <summary>Rows of increments behind a row of column names.</summary>
    Csv,

    /// <summary>An increment in JSON a line.</summary>
    NdJson,
}

/// <summary>How formats are called, and known by a file's ending.</summary>
internal static class LoadFormats
{
    /// <summary>What --format takes.</summary>
    public static readonly string[] Words = ["text", "csv", "ndjson"];

    /// <summary>The format of a word of <see cref="Words"/>.</summary>
    public static LoadFormat Of(string word) => (LoadFormat)Array.IndexOf(Words, word);

    /// <summary>The format that a file's ending says.</summary>
    public static LoadFormat ByEnding(string file) => Path.GetExtension(file).ToUpperInvariant() switch
    {
        ".CSV" => LoadFormat.Csv,
        ".NDJSON" or ".JSONL" => LoadFormat.NdJson,
        _ => LoadFormat.Text,
    };
}
