using System.Text;
using Sketch.Storage.Sql;

namespace Sketch.Storage.Embedded.Http;

/// <summary>Which format an answer has, and what HTTP calls it.</summary>
internal static class HttpFormats
{
    /// <summary>The format that the statement ends with ("... FORMAT JSON"), else the request's.</summary>
    public static string Of(string sql, string requested)
    {
        byte[] text = Encoding.UTF8.GetBytes(sql);
        List<SqlToken> tokens = SqlTokenizer.All(text);
        for (int i = tokens.Count - 2; i > 0; i--)
        {
            if (InsertStatement.Is(text, tokens[i - 1], "FORMAT") && tokens[i].Kind == SqlTokenKind.Word)
            {
                return SqlTokenizer.Text(text, tokens[i]);
            }
        }

        return requested;
    }

    public static string ContentType(string format) => format switch
    {
        "JSON" or "JSONCompact" or "JSONStrings" or "JSONCompactStrings" or "JSONColumns" or "JSONColumnsWithMetadata" or "JSONCompactColumns"
            or "JSONObjectEachRow" => "application/json; charset=UTF-8",
        "JSONEachRow" or "JSONLines" or "NDJSON" or "JSONStringsEachRow" or "JSONCompactEachRow" or "JSONCompactEachRowWithNames"
            or "JSONCompactEachRowWithNamesAndTypes" or "JSONEachRowWithProgress" => "application/x-ndjson; charset=UTF-8",
        "CSV" or "CSVWithNames" or "CSVWithNamesAndTypes" => "text/csv; charset=UTF-8; header=" + (format == "CSV" ? "absent" : "present"),
        "XML" => "application/xml; charset=UTF-8",
        _ when format.StartsWith("TabSeparated", StringComparison.Ordinal) || format.StartsWith("TSV", StringComparison.Ordinal) =>
            "text/tab-separated-values; charset=UTF-8",
        _ when format.StartsWith("Pretty", StringComparison.Ordinal) || format is "Vertical" or "Markdown" or "Values" or "SQLInsert" =>
            "text/plain; charset=UTF-8",
        _ => "application/octet-stream",
    };
}
