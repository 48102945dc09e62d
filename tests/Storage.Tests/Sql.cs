using System.Net.Http.Headers;
using System.Text;
using Sketch.Storage.Supervision;

namespace Sketch.Tests.Storage;

/// <summary>The SQL interface as curl would use it.</summary>
public sealed class Sql : IDisposable
{
    private readonly HttpClient _http = new();
    private readonly ClickHouseProcess _process;

    public Sql(ClickHouseProcess process, bool writer = false)
    {
        _process = process;
        if (writer)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ClickHouseProcess.User}:{process.Password}")));
        }
    }

    /// <summary>The answer's text; throws when it is an error.</summary>
    public async Task<string> AskAsync(string sql, string query = "")
    {
        using HttpResponseMessage response = await PostAsync(sql, query);
        string text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? text.TrimEnd('\n') : throw new InvalidOperationException($"{(int)response.StatusCode}: {text}");
    }

    public Task<HttpResponseMessage> PostAsync(string sql, string query = "", HttpContent? content = null) =>
        _http.PostAsync(new Uri(_process.Address, "/?" + query), content ?? new StringContent(sql));

    public Task<HttpResponseMessage> GetAsync(string path) => _http.GetAsync(new Uri(_process.Address, path));

    public void Dispose() => _http.Dispose();
}
